import { describe, expect, it } from '@jest/globals';
import { CLAIM_AGE_MAX_MS } from '../../lambdas/app/address-claims';
import { runFailover } from '../../lambdas/app/dispatch';
import { type Context, PortError } from '../../lambdas/app/ports';
import type { AddressClaim } from '../../lambdas/core/jobs';
import { anInstance, NOW_MS } from '../builders';
import { aMemoryWorld, contextOver, type MemoryWorld } from '../memory-ports';

const instances = ['lb1', 'lb2', 'ctx1'].map((slot) => anInstance(slot));
const address = { allocationId: 'eipalloc-1', cluster: 'city', name: 'entry1', publicIp: '203.0.113.1', holder: 'i-1011' };
const CLAIM: AddressClaim = { kind: 'claimAddress', cluster: 'city', claimant: 'i-1021', atMs: NOW_MS - 100, state: 'MASTER' };
const HOLDER_IP = '10.0.1.11';

const aCity = (change: Partial<MemoryWorld> = {}) => aMemoryWorld({ cloud: { instances, addresses: [address] }, ...change });
const holderSilent = (url: string) => !url.includes(HOLDER_IP);

/** Hears a claim; answers how it ended, as the journal has it. */
async function hear(w: MemoryWorld, change: Partial<AddressClaim> = {}, edit: (context: Context) => void = () => {}) {
  const context = contextOver(w);
  edit(context);
  await runFailover(context, { ...CLAIM, ...change });
  const { event, text } = w.journal.at(-1) ?? {};
  return `${event}: ${text}`;
}

describe('a claim', () => {
  it('moves the address off a holder that two probes find silent, and asks for a look', async () => {
    const w = aCity({ answering: holderSilent });
    const probed: string[] = [];
    const ended = await hear(w, {}, ({ ports }) => {
      const { http } = ports.probe;
      ports.probe.http = (url, timeoutMs) => {
        probed.push(url);
        return http(url, timeoutMs);
      };
    });
    expect(ended).toBe('done: i-1021 took the lead of its pair: the address moved to it');
    expect(w.acts).toEqual(['associate eipalloc-1 with i-1021']);
    expect(w.sent).toEqual([{ queue: 'health-check', body: { kind: 'check', cluster: 'city' }, delayS: 0 }]);
    expect(probed.filter((url) => url.includes(HOLDER_IP) && url.endsWith('/health'))).toHaveLength(2);
  });

  it('does not wait long for an answer', async () => {
    const timeouts = new Set<number>();
    await hear(aCity({ answering: holderSilent }), {}, ({ ports }) => {
      const { http } = ports.probe;
      ports.probe.http = (url, timeoutMs) => {
        timeouts.add(timeoutMs);
        return http(url, timeoutMs);
      };
    });
    expect([...timeouts]).toEqual([500]);
  });

  it('moves the address off a holder that is gone, without a probe of it', async () => {
    const w = aCity({ cloud: { instances: instances.slice(1), addresses: [address] } });
    expect(await hear(w)).toMatch(/^done/);
  });

  it('takes a free address only if it still is free', async () => {
    const { holder: _, ...free } = address;
    const w = aCity({ cloud: { instances, addresses: [free] } });
    expect(await hear(w)).toMatch(/^done/);
    expect(w.acts).toEqual(['associate eipalloc-1 with i-1021 if free']);
  });

  it('that comes twice changes nothing the second time', async () => {
    const w = aCity({ answering: holderSilent });
    await hear(w);
    expect(await hear(w)).toBe('done: i-1021 took the lead of its pair: it holds the address already');
    expect(w.acts).toHaveLength(1);
  });
});

/** Both addresses of an active/active pair, on the holders given. */
function aPair(holders: [string, string], change: Partial<MemoryWorld> = {}): MemoryWorld {
  const balancers = instances.map((fact) => (fact.role === 'lb' ? { ...fact, secondaryIps: [`10.0.9.${fact.slot.slice(2)}`] } : fact));
  const second = { ...address, allocationId: 'eipalloc-2', name: 'entry2', publicIp: '203.0.113.2' };
  const addresses = [address, second].map((a, i) => ({ ...a, holder: holders[i] ?? '' }));
  return aMemoryWorld({ cloud: { instances: balancers, addresses }, ...change });
}

describe('a claim on an active/active pair', () => {
  it('moves a dead peer’s address to the second private address of the claimant, which keeps its own', async () => {
    const w = aPair(['i-1021', 'i-1011'], { answering: holderSilent });
    expect(await hear(w)).toMatch(/^done/);
    expect(w.acts).toEqual(['associate eipalloc-2 with i-1021 at 10.0.9.2']);
    expect(w.cloud.addresses.map(({ holder }) => holder)).toEqual(['i-1021', 'i-1021']);
  });

  it('moves both addresses of a dead peer, each to a private address of its own', async () => {
    const w = aPair(['i-1011', 'i-1011'], { answering: holderSilent });
    expect(await hear(w)).toMatch(/^done/);
    expect(w.acts).toEqual(['associate eipalloc-1 with i-1021', 'associate eipalloc-2 with i-1021 at 10.0.9.2']);
  });

  const kept: [string, [string, string], Partial<MemoryWorld>, Partial<AddressClaim>, RegExp][] = [
    ['each balancer answers', ['i-1021', 'i-1011'], {}, {}, /203\.0\.113\.2 stays: its holder lb1 \(i-1011\) answers/],
    ['the peer answers and holds both', ['i-1011', 'i-1011'], {}, {}, /113\.1 stays: .* answers; 203\.0\.113\.2 stays: .* answers/],
    [
      'the claimant does not answer where it would lead',
      ['i-1021', 'i-1011'],
      { answering: (url) => !url.includes(HOLDER_IP) && !url.includes('10.0.9.2') },
      {},
      /lb2 \(i-1021\) does not answer at 10\.0\.9\.2, where entry2 would lead: connection refused/,
    ],
    ['it is replayed later', ['i-1021', 'i-1011'], { answering: holderSilent }, { atMs: NOW_MS - 60_000 }, /this one is 60 s old/],
    ['its node left the cluster', ['i-1021', 'i-1011'], { answering: holderSilent }, { claimant: 'i-1031' }, /i-1031 is not one of its/],
  ];
  it.each(kept)('changes nothing and is journaled when %s', async (_when, holders, change, claim, reason) => {
    const w = aPair(holders, change);
    expect(await hear(w, claim)).toMatch(new RegExp(`^refused: .*${reason.source}`));
    expect(w.acts).toEqual([]);
    expect(w.cloud.addresses.map(({ holder }) => holder)).toEqual(holders);
  });

  it('says that a second private address is missing', async () => {
    const w = aPair(['i-1021', 'i-1011'], { answering: holderSilent });
    w.cloud = { ...w.cloud, instances: w.cloud.instances.map((fact) => ({ ...fact, secondaryIps: [] })) };
    expect(await hear(w)).toMatch(/^refused: .*lb2 \(i-1021\) has no private address for entry2 yet/);
    expect(w.acts).toEqual([]);
  });
});

describe('a claim is refused, with its reason in the journal and the address where it is, when', () => {
  const refusals: [string, Partial<MemoryWorld>, Partial<AddressClaim>, RegExp][] = [
    ['the holder answers: a false alarm costs nothing', {}, {}, /203\.0\.113\.1 stays: its holder lb1 \(i-1011\) answers/],
    ['the claimant does not serve', { answering: () => false }, {}, /stays: lb2 \(i-1021\) does not serve: connection refused/],
    [
      'it is older than its bound',
      {},
      { atMs: NOW_MS - CLAIM_AGE_MAX_MS - 1_000 },
      /expected a claim of at most 30 s; this one is 31 s old/,
    ],
    ['it comes from the future', {}, { atMs: NOW_MS + 60_000 }, /expected a time that has come; this one is 60 s ahead/],
    ['nobody knows the claimant', {}, { claimant: 'i-dead' }, /expected a load balancer of city; i-dead is not one of its nodes/],
    ['the claimant is a broker', {}, { claimant: 'i-2011' }, /expected a load balancer; i-2011 is ctx1/],
    [
      'the claimant is on its way out',
      { cloud: { instances: [anInstance('lb1'), anInstance('lb2', { state: 'shutting-down' })], addresses: [address] } },
      {},
      /expected a node that runs; i-1021 \(lb2\) is shutting-down/,
    ],
    ['the cluster has no address', { cloud: { instances, addresses: [] } }, {}, /city has no address yet/],
    ['there are too many of them', { budgetLeft: 0 }, {}, /expected at most 30 claims a minute/],
  ];

  it.each(refusals)('%s', async (_when, change, claim, reason) => {
    const w = aCity(change);
    expect(await hear(w, claim)).toMatch(new RegExp(`^refused: .*${reason.source}`));
    expect(w.acts).toEqual([]);
    expect(w.cloud.addresses[0]?.holder).toBe(change.cloud?.addresses.length === 0 ? undefined : 'i-1011');
  });

  it('the holder could not be looked at: unknown is not dead', async () => {
    const w = aCity();
    const ended = await hear(w, {}, ({ ports }) => {
      ports.probe.http = async (url) => ({
        outcome: url.includes(HOLDER_IP) ? { is: 'unknown', detail: 'no route' } : { is: 'ok', latencyMs: 1 },
        body: '',
      });
    });
    expect(ended).toMatch(/^refused: .*could not be looked at: no route/);
    expect(w.acts).toEqual([]);
  });

  it('the holder misses one probe and answers the next', async () => {
    const w = aCity();
    let asked = 0;
    const ended = await hear(w, {}, ({ ports }) => {
      ports.probe.http = async (url) => ({
        outcome:
          url.includes(HOLDER_IP) && url.endsWith('/health') && asked++ === 0
            ? { is: 'failed', detail: 'no answer in time' }
            : { is: 'ok', latencyMs: 1 },
        body: '',
      });
    });
    expect(ended).toMatch(/^refused: .*its holder lb1 \(i-1011\) answers/);
    expect(w.acts).toEqual([]);
  });

  it('somebody else moved the address between the two looks', async () => {
    const w = aCity({ answering: holderSilent });
    let reads = 0;
    const ended = await hear(w, {}, ({ ports }) => {
      ports.compute.describeCluster = async () => (++reads === 1 ? w.cloud : { instances, addresses: [{ ...address, holder: 'i-1031' }] });
    });
    expect(ended).toMatch(/^stale: .*is held by i-1031 by now, expected i-1011/);
    expect(w.acts).toEqual([]);
  });
});

describe('of two that want the same address', () => {
  /** Two claims heard at once, of which each takes the holder for dead: by lb2, and by another node of lb2 that is to be let go. */
  const twins = [...instances, anInstance('lb2', { instanceId: 'i-1022', privateIp: '10.0.1.22' })];
  const aRace = (change: Partial<MemoryWorld> = {}) =>
    aMemoryWorld({ cloud: { instances: twins, addresses: [address] }, answering: holderSilent, ...change });

  it('one moves it, the other is sent away: the first taker answers, and would have lost it', async () => {
    const w = aRace();
    const context = contextOver(w);
    await Promise.all(['i-1021', 'i-1022'].map((claimant) => runFailover(context, { ...CLAIM, claimant })));
    expect(w.journal.map(({ event, text }) => `${event}: ${text}`).sort()).toEqual([
      'done: i-1021 took the lead of its pair: the address moved to it',
      'refused: i-1022 took the lead of its pair: another worker is about to move eipalloc-1',
    ]);
    expect(w.acts).toEqual(['associate eipalloc-1 with i-1021']);
  });

  it('a worker that died keeps it for twenty seconds', async () => {
    const w = aRace({ leases: new Map([['address/eipalloc-1', { untilMs: NOW_MS + 20_000 }]]) });
    expect(await hear(w)).toMatch(/^refused: .*another worker is about to move eipalloc-1/);
    w.nowMs += 20_000;
    expect(await hear(w, { atMs: w.nowMs })).toMatch(/^done/);
    expect(w.leases.get('address/eipalloc-1')?.untilMs).toBe(0);
  });

  it('the later one knows who has it by now, though EC2 still names the dead holder', async () => {
    const w = aRace();
    const { cloud } = w;
    await hear(w, { claimant: 'i-1022' });
    w.cloud = cloud;
    expect(await hear(w)).toMatch(/^stale: .*203\.0\.113\.1 is held by i-1022 by now, expected i-1011/);
    w.nowMs += 31_000;
    expect(await hear(w, { atMs: w.nowMs })).toMatch(/^done/);
    expect(w.acts).toEqual(['associate eipalloc-1 with i-1022', 'associate eipalloc-1 with i-1021']);
  });

  it.each([
    ['unavailable', /another worker is about to move/],
    ['throttled', /^done/],
  ] as const)('an association that failed as %s keeps the other off only while it may have come to pass', async (code, next) => {
    const w = aRace();
    const ended = await hear(w, {}, ({ ports }) => {
      ports.addresses.associate = async () => {
        throw new PortError(code, 'AssociateAddress failed');
      };
    });
    expect([ended, await hear(w, { claimant: 'i-1022' })]).toEqual([expect.stringMatching(/^failed: /), expect.stringMatching(next)]);
  });

  it('a worker whose looks took so long that its lease may end moves nothing', async () => {
    const w = aRace();
    const ended = await hear(w, {}, ({ ports }) => {
      const { http } = ports.probe;
      ports.probe.http = (url, timeoutMs) => {
        w.nowMs += url.includes(HOLDER_IP) ? 11_000 : 0;
        return http(url, timeoutMs);
      };
    });
    expect(ended).toMatch(/^failed: .*the look took \d+ ms, 10000 at most/);
    expect(w.acts).toEqual([]);
  });

  it('a lease that could not be given back undoes no move', async () => {
    const w = aRace();
    const ended = await hear(w, {}, ({ ports }) => {
      ports.leases.end = async () => {
        throw new PortError('unavailable', 'DynamoDB does not answer');
      };
    });
    expect(ended).toMatch(/^done/);
    expect(w.acts).toEqual(['associate eipalloc-1 with i-1021']);
  });

  it('without an answer to who has it nothing moves', async () => {
    const w = aRace();
    const ended = await hear(w, {}, ({ ports }) => {
      ports.leases.take = async () => {
        throw new PortError('unavailable', 'DynamoDB does not answer');
      };
    });
    expect(ended).toMatch(/^failed: .*unavailable: DynamoDB does not answer/);
    expect(w.acts).toEqual([]);
  });
});

describe('when a service fails', () => {
  it('a claim ends as failed, and the check it asks for goes on', async () => {
    const w = aCity();
    const ended = await hear(w, {}, ({ ports }) => {
      ports.compute.describeCluster = async () => {
        throw new PortError('throttled', 'DescribeInstances: rate exceeded');
      };
    });
    expect(ended).toMatch(/^failed: .*throttled: DescribeInstances: rate exceeded/);
    expect(w.sent).toMatchObject([{ queue: 'health-check', body: { kind: 'check', cluster: 'city' } }]);
  });

  it('a journal out of reach undoes no move', async () => {
    const w = aCity({ answering: holderSilent });
    await hear(w, {}, ({ ports }) => {
      ports.journal.append = async () => {
        throw new PortError('unavailable', 'DynamoDB does not answer');
      };
    });
    expect(w.acts).toEqual(['associate eipalloc-1 with i-1021']);
  });
});
