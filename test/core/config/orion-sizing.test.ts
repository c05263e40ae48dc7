import { describe, expect, it } from '@jest/globals';
import { descriptorsNeeded, orionSettings, vcpusOf } from '../../../lambdas/core/config/orion-sizing';
import { renderConfig } from '../../../lambdas/core/config/render';
import { decodeMessage } from '../../../lambdas/core/jobs';
import { parseSpec } from '../../../lambdas/core/spec';
import { aHealthyWorld, aSpec, change, look, planOf } from '../../builders';

describe('vcpusOf', () => {
  it.each([
    ['t3.nano', 2],
    ['t3.micro', 2],
    ['t3.small', 2],
    ['t3.medium', 2],
    ['m6i.large', 2],
    ['c6i.xlarge', 4],
    ['r6i.2xlarge', 8],
    ['c6i.12xlarge', 48],
    ['m7i.metal-24xl', 96],
    ['m5.metal', 2],
    ['strange.size', 2],
  ])('%s has %i', (type, vcpus) => {
    expect(vcpusOf(type)).toBe(vcpus);
  });
});

describe('orionSettings', () => {
  it('follow the size', () => {
    expect(orionSettings('t3.medium')).toEqual({
      subCacheIntervalS: 10,
      mutexPolicy: 'none',
      requestPoolSize: 4,
      mongoPoolSize: 10,
      maxConnections: 1020,
      notificationMode: 'threadpool',
      notificationQueue: 1000,
      notificationThreads: 20,
      fileDescriptors: 65_536,
    });
    expect(orionSettings('c6i.4xlarge')).toMatchObject({
      requestPoolSize: 16,
      mongoPoolSize: 32,
      maxConnections: 8160,
      notificationQueue: 8000,
      notificationThreads: 160,
    });
  });

  it.each(['t3.nano', 'm6i.xlarge', 'c6i.8xlarge', 'm7i.48xlarge', 'u7i.metal-112xl'])('leave %s with descriptors enough', (type) => {
    const { fileDescriptors, ...rest } = orionSettings(type);
    expect(fileDescriptors).toBeGreaterThan(descriptorsNeeded(rest));
  });

  it('give way to what a spec says, and let the descriptors follow', () => {
    const settings = orionSettings('t3.medium', { maxConnections: 100_000, mutexPolicy: 'write', subCacheIntervalS: undefined });
    expect(settings).toMatchObject({ maxConnections: 100_000, mutexPolicy: 'write', subCacheIntervalS: 10, fileDescriptors: 262_144 });
  });

  it('count threads only where there is a pool of them', () => {
    const { fileDescriptors: _, ...rest } = orionSettings('t3.medium', { notificationMode: 'transient' });
    expect(descriptorsNeeded(rest)).toBe(1020 + 10 + 200);
  });
});

describe('a spec', () => {
  it('is refused where its settings need more descriptors than it gives', () => {
    const spec = { name: 'city', orion: { settings: { fileDescriptors: 2048, notificationThreads: 200 } } };
    expect(parseSpec(spec)).toEqual({
      ok: false,
      problems: [
        'orion.settings.fileDescriptors: expected more than 2230: 5 x 200 notification threads + 1020 connections + 10 to MongoDB + 200 others; raise it, or lower those; got 2048',
      ],
    });
  });

  it.each([
    [{ subCacheIntervalS: 0 }, 'orion.settings.subCacheIntervalS'],
    [{ mutexPolicy: 'some' }, 'orion.settings.mutexPolicy'],
    [{ requestPoolSize: 2000 }, 'orion.settings.requestPoolSize'],
    [{ notificationMode: 'permanent' }, 'orion.settings.notificationMode'],
    [{ cache: 1 }, 'orion.settings'],
  ])('is refused with %j', (settings, field) => {
    const parsed = parseSpec({ name: 'city', orion: { settings } });
    expect(parsed).toMatchObject({ ok: false });
    expect(parsed.ok ? '' : parsed.problems.join()).toContain(field);
  });
});

describe('a broker', () => {
  const config = (settings = {}) => {
    const found = look({ ...aHealthyWorld(), spec: aSpec({ orion: { settings } }) }).configs.orion?.config;
    if (!found) throw new Error('brokers have a configuration');
    return found;
  };

  it('is started with them', () => {
    const [file] = renderConfig(config({ notificationQueue: 50, notificationThreads: 5, requestPoolSize: 8 }), 'v');
    expect(file?.content.split('\n')).toEqual(
      expect.arrayContaining([
        'ORION_MUTEX_POLICY=none',
        'ORION_SUBCACHE_IVAL=10',
        'ORION_TRQ_POOL_SIZE=8',
        'ORION_MONGO_POOL_SIZE=16',
        'ORION_MAX_CONN=1020',
        'ORION_NOTIF_MODE=threadpool:50:5',
        'FIWARE_HA_FILE_DESCRIPTORS=65536',
      ]),
    );
    expect(renderConfig(config({ notificationMode: 'transient' }), 'v')[0]?.content).toContain('ORION_NOTIF_MODE=transient\n');
  });

  it('takes changed ones with a restart, after its drain', () => {
    const world = { ...aHealthyWorld(), spec: aSpec({ orion: { settings: { subCacheIntervalS: 20 } } }) };
    expect(look(world).drain).toMatchObject({ instanceId: 'i-2011' });
    const single = { ...aHealthyWorld({ orion: { count: 1 } }), spec: aSpec({ orion: { count: 1, settings: { subCacheIntervalS: 20 } } }) };
    expect(planOf(change(single, 'ctx1', (node) => node)).jobs).toMatchObject([{ kind: 'applyConfig', slot: 'ctx1', restarts: true }]);
  });

  it('of a message of an earlier release gets those of the smallest', () => {
    const { settings: _, ...before } = config() as Extract<ReturnType<typeof config>, { role: 'orion' }>;
    const job = {
      kind: 'applyConfig',
      cluster: 'city',
      jobKey: 'city@1/config/i-2#0',
      reason: 'x',
      role: 'orion',
      slot: 'ctx1',
      instanceId: 'i-2',
      version: 'abcd',
      config: before,
    };
    const decoded = decodeMessage('provision', JSON.stringify(job));
    expect(decoded).toMatchObject({ ok: true, value: { config: { settings: orionSettings('t3.medium') } } });
  });
});
