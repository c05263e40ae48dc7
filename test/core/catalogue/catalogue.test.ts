import { describe, expect, it } from '@jest/globals';
import { CATALOGUE } from '../../../lambdas/core/catalogue/catalogue';
import { sysconfigOf } from '../../../lambdas/core/catalogue/orion';
import { type Offer, renderPools } from '../../../lambdas/core/catalogue/pools';
import type { RoleEntry, Surroundings } from '../../../lambdas/core/catalogue/role-entry';
import { isKnown, referenceOf } from '../../../lambdas/core/catalogue/versions';
import { renderLb } from '../../../lambdas/core/config/lb';

const AROUND: Surroundings = {
  index: 1,
  seeds: ['10.0.3.1:27017', '10.0.3.2:27017', '10.0.3.3:27017'],
  replicaSet: 'orion_rs',
  writeConcern: 'majority',
  readPreference: 'primary',
  broker: { host: '10.0.1.99', port: 1026 },
  offered: { host: '10.0.1.99', port: 4041 },
  options: {},
};

function entryOf(name: string): RoleEntry {
  const found = CATALOGUE.find((entry) => entry.name === name);
  if (!found) throw new Error(name);
  return found;
}

function settingsOf(name: string, version: string, change: Partial<Surroundings> = {}): Record<string, string> {
  return entryOf(name).environment(version, { ...AROUND, ...change });
}

function offer(entry: RoleEntry, name: 'north' | 'south' = 'north', count = 2): Offer {
  const servers = Array.from({ length: count }, (_, i) => ({ slot: `${entry.slotPrefix}${i + 1}`, host: `10.0.2.${i + 1}` }));
  return { entry, name, port: entry.ports[name] ?? 0, address: '', servers };
}

describe.each(CATALOGUE.map((entry) => [entry.name, entry] as const))('the entry %s', (_name, entry) => {
  it('names only ports that it has, in probes and frontends', () => {
    const named = [entry.health.process.port, ...(entry.health.truth ? [entry.health.truth.port] : []), ...entry.frontends];
    for (const port of named) expect(entry.ports[port]).toBeGreaterThan(0);
  });

  it('asks something else for the database than for the process', () => {
    expect(entry.health.truth?.path).not.toBe(entry.health.process.path);
    expect(/version|about/.test(entry.health.truth?.path ?? '')).toBe(false);
  });

  it('knows the settings of its usual version, and where they come from', () => {
    expect(isKnown(entry, entry.usualVersion)).toBe(true);
    expect(referenceOf(entry.name, entry.usualVersion)?.source).toBeTruthy();
    for (const { source } of entry.versions) expect(source.length).toBeGreaterThan(10);
  });

  it('tells every member of the replica set to its process, in one form or another', () => {
    const file = entry.file(entry.usualVersion, AROUND)?.content ?? '';
    const told = [...Object.values(settingsOf(entry.name, entry.usualVersion)), file].join('\n');
    for (const seed of AROUND.seeds) expect(told).toContain(seed);
    expect(told).toContain('orion_rs');
  });

  it('usually has a count within its bounds', () => {
    const { min, max, usual } = entry.count;
    expect(usual).toBeGreaterThanOrEqual(min);
    expect(usual).toBeLessThanOrEqual(max);
  });
});

describe('settings by version', () => {
  it('tell Orion the database by one URI from 4.0 on, by host list and set name before', () => {
    expect(settingsOf('orion', '4.1.0').ORION_MONGO_URI).toContain('/?replicaSet=orion_rs&w=majority');
    const before = settingsOf('orion', '3.12.0');
    expect(before).toMatchObject({ ORION_MONGO_HOST: AROUND.seeds.join(','), ORION_MONGO_REPLICA_SET: 'orion_rs' });
    expect(Object.keys(before).filter((key) => key.startsWith('FIWARE_HA_'))).toEqual([]);
  });

  it("have the slides' form for Orion's RPM, and none for versions without one", () => {
    const text = sysconfigOf('3.6.0', AROUND) ?? '';
    expect(text).toContain(`BROKER_DATABASE_HOST=${AROUND.seeds.join(',')}\nBROKER_DATABASE_NAME=orion\nBROKER_DATABASE_RPLSET=orion_rs\n`);
    expect(sysconfigOf('3.6.1', AROUND)).toBeUndefined();
    expect(sysconfigOf('4.1.0', AROUND)).toBeUndefined();
  });

  it('tell IoT agents the database by a URI once they know one, and ask for their health once they have it', () => {
    const newest = settingsOf('iotagent-json', '3.14.0');
    expect(newest.IOTA_MONGO_URI).toBe(
      `mongodb://${AROUND.seeds.join(',')}/iotagentjson?replicaSet=orion_rs&w=majority&readPreference=primary`,
    );
    expect(newest.IOTA_HEALTH_CHECK).toBe('true');
    expect(newest.IOTA_MONGO_HOST).toBeUndefined();
    const between = settingsOf('iotagent-json', '3.11.0');
    expect([between.IOTA_MONGO_URI === undefined, between.IOTA_HEALTH_CHECK]).toEqual([false, undefined]);
    const old = settingsOf('iotagent-ul', '3.7.0');
    expect(old).toMatchObject({ IOTA_MONGO_HOST: AROUND.seeds.join(','), IOTA_MONGO_REPLICASET: 'orion_rs' });
    expect([old.IOTA_MONGO_URI, old.IOTA_HEALTH_CHECK]).toEqual([undefined, undefined]);
  });

  it('send agents to the balancers for brokers, and others to the balancers for agents', () => {
    expect(settingsOf('iotagent-json', '3.14.0')).toMatchObject({
      IOTA_CB_HOST: '10.0.1.99',
      IOTA_CB_PORT: '1026',
      IOTA_PROVIDER_URL: 'http://10.0.1.99:4041',
    });
  });

  it('let all agents listen to a broker that shares subscriptions, one agent to another, none without one', () => {
    const mqtt = { host: 'mqtt', port: 1883, shared: true };
    const listens = (index: number, options: Surroundings['options']) =>
      settingsOf('iotagent-ul', '3.7.0', { index, options }).IOTA_MQTT_DISABLED === undefined;
    expect([1, 2, 3].map((index) => listens(index, { mqtt }))).toEqual([true, true, true]);
    expect([1, 2, 3].map((index) => listens(index, { mqtt: { ...mqtt, shared: false } }))).toEqual([true, false, false]);
    expect(listens(1, {})).toBe(false);
  });

  it('keep the events of Cygnus in memory or in files of its own', () => {
    expect(settingsOf('cygnus', '3.17.0')).toMatchObject({ CYGNUS_MONGO_HOSTS: AROUND.seeds.join(',') });
    expect(entryOf('cygnus').file('3.17.0', AROUND)).toBeUndefined();
    const around = { ...AROUND, options: { channel: 'file' } as const };
    const file = entryOf('cygnus').file('3.17.0', around);
    expect(settingsOf('cygnus', '3.17.0', around).CYGNUS_CONF_FILE).toBe(file?.path);
    expect(settingsOf('cygnus', '3.17.0', around).CYGNUS_MONGO_HOSTS).toBeUndefined();
    for (const kind of ['mongo', 'sth']) {
      expect(file?.content).toContain(`channels.${kind}-channel.type = com.telefonica.iot.cygnus.channels.CygnusFileChannel`);
      expect(file?.content).toContain(`channels.${kind}-channel.dataDirs = /var/lib/cygnus/${kind}/data`);
    }
    expect(entryOf('cygnus').keeps).toEqual(['/var/lib/cygnus']);
  });
});

describe('pools', () => {
  it('send nothing to who lost the database while another has it, and to all when none has', () => {
    const text = renderPools([offer(entryOf('sth-comet'))], 'http');
    expect(text).toMatch(/use_backend sth_pool if .*\n {2}use_backend sth_without_database if .*\n {2}default_backend sth_unchecked\n/);
    expect(text).toContain(
      'backend sth_pool\n  balance roundrobin\n  option httpchk\n  http-check send meth GET uri /STH/v2/entities/fiware-ha-probe/attrs/probe?type=Probe&lastN=1 hdr Fiware-Service fiwareha hdr Fiware-ServicePath /',
    );
    expect(text).toMatch(/backend sth_without_database\n[\s\S]*uri \/version\n/);
  });

  it('send to each when none passes any check: load must not shut everybody out', () => {
    const text = renderPools([offer(entryOf('sth-comet'))], 'http');
    expect(text).toMatch(/backend sth_unchecked\n {2}balance roundrobin\n {2}server sth1 10\.0\.2\.1:8666\n {2}server sth2 /);
  });

  it('send everything to the first of an active/passive role, and repeat nothing', () => {
    const text = renderPools([offer(entryOf('cygnus'), 'north', 3)], 'http');
    expect(text.match(/^ {2}server .*$/gm)).toEqual([
      '  server cyg1 10.0.2.1:5051 port 5080',
      '  server cyg2 10.0.2.2:5051 port 5080 backup',
      '  server cyg3 10.0.2.3:5051 port 5080 backup',
    ]);
    expect(text).not.toContain('roundrobin');
    expect(text).not.toContain('without_database');
    expect(text).not.toContain('unchecked');
    expect(text).toContain('\n  http-request disable-l7-retry\n');
  });

  it('ask an agent at its north port whether it may get measures at its south port', () => {
    const text = renderPools([offer(entryOf('iotagent-json'), 'south')], 'http');
    expect(text).toContain('frontend iotj_south\n  bind :7896\n');
    expect(text).toContain('  server iotj1 10.0.2.1:7896 port 4041\n');
  });

  it('balance connections where the spec wants that, as in the slides', () => {
    expect(renderPools([offer(entryOf('orion'))], 'tcp')).toBe(`frontend entry
  bind :1026
  mode tcp
  option tcplog
  default_backend ctx_pool

backend ctx_pool
  mode tcp
  balance roundrobin
  server ctx1 10.0.2.1:1026 check
  server ctx2 10.0.2.2:1026 check
`);
  });

  it.each(['http', 'tcp'] as const)('for the brokers are those of the nodes (%s)', (protocol) => {
    const brokers = ['10.0.2.1', '10.0.2.2'].map((ip, i) => ({ slot: `ctx${i + 1}`, ip }));
    const config = {
      role: 'lb',
      port: 1026,
      brokers,
      ip: '10.0.1.1',
      peers: [],
      virtualRouterId: 51,
      advertIntervalS: 0.3,
      protocol,
    } as const;
    const [file] = renderLb({ ...config, peers: [] }, 'v');
    const onNodes = /^frontend entry\n[\s\S]*?(?=\nfrontend admin)/m.exec(file?.content ?? '')?.[0];
    expect(renderPools([offer(entryOf('orion'))], protocol)).toBe(onNodes);
  });

  it('come from any entry: a made-up role needs nothing else', () => {
    const quantumLeap: RoleEntry = {
      ...entryOf('sth-comet'),
      name: 'quantum-leap',
      slotPrefix: 'ql',
      ports: { north: 8668 },
      health: {
        process: { port: 'north', path: '/version', status: 200 },
        truth: { port: 'north', path: '/health', status: 200 },
        overload: '',
      },
    };
    const text = renderPools([offer(quantumLeap)], 'http');
    expect(text).toContain('frontend ql\n  bind :8668\n');
    expect(text).toContain('uri /health\n');
    expect(text).toContain('  server ql2 10.0.2.2:8668\n');
  });
});
