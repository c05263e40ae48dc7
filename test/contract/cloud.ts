/** Contracts of what acts on the cloud: compute, addresses, commands, queues, probe. The same cases for the simulation and for AWS. */
import { afterAll, describe, expect, it } from '@jest/globals';
import type { LaunchRequest } from '../../lambdas/app/ports';
import type { InstanceFact } from '../../lambdas/core/facts';
import { eventually, freshName, type Gap, opened, type Subject, type SubjectSource } from './subject';

const UNKNOWN_INSTANCE = 'i-0fedcba9876543210';
const UNKNOWN_ALLOCATION = 'eipalloc-0fedcba9876543210';
const CONFLICT = { name: 'PortError', code: 'conflict' };

function aRequest({ zones, instanceType }: Subject, cluster: string, change: Partial<LaunchRequest> = {}): LaunchRequest {
  const request = { cluster, role: 'lb', slot: 'lb1', incarnation: 1, zone: zones[0] ?? '', instanceType, ...change } as const;
  return { ...request, token: `${cluster}/${request.slot}/${request.incarnation}`, ...change };
}

function caseUnless(gaps: readonly Gap[] | undefined, gap: Gap): typeof it | typeof it.skip {
  return gaps?.includes(gap) ? it.skip : it;
}

/** Launches nodes and remembers them, so that a suite leaves neither them nor their placement groups behind. */
function launcher(subject: () => Subject) {
  const launched: InstanceFact[] = [];
  afterAll(async () => {
    const { compute } = subject().ports;
    await Promise.allSettled(launched.map(({ instanceId }) => compute.terminateNode(instanceId)));
    await Promise.allSettled([...new Set(launched.map(({ cluster }) => cluster))].map((name) => compute.deletePlacementGroups(name)));
  });
  const launch = async (cluster: string, change: Partial<LaunchRequest> = {}): Promise<InstanceFact> => {
    const fact = await subject().ports.compute.launchNode(aRequest(subject(), cluster, change));
    launched.push(fact);
    return fact;
  };
  const running = async (cluster: string, change: Partial<LaunchRequest> = {}): Promise<InstanceFact> => {
    const { instanceId } = await launch(cluster, change);
    const find = async () => (await subject().ports.compute.describeCluster(cluster)).instances.find((i) => i.instanceId === instanceId);
    const seen = await eventually(subject(), find, (fact) => fact?.state === 'running' && fact.privateIp !== undefined);
    if (seen?.state !== 'running') throw new Error(`${instanceId} is ${seen?.state ?? 'not listed'}, expected running`);
    return seen;
  };
  return { launch, running };
}

/** Compute: tagged instances. */
export function describeComputeContract(source: SubjectSource): void {
  describe(`compute of ${source.name}`, () => {
    const subject = opened(source);
    const compute = () => subject().ports.compute;
    const { launch, running } = launcher(subject);

    it('has nothing of an unknown cluster', async () => {
      expect(await compute().describeCluster(freshName())).toEqual({ instances: [], addresses: [] });
    });

    it('launches a node that comes up as what was asked for, in its own cluster alone', async () => {
      const [cluster, other] = [freshName(), freshName()];
      const fact = await running(cluster, { role: 'orion', slot: 'ctx2', incarnation: 3 });
      const zone = subject().zones[0];
      expect(fact).toMatchObject({ cluster, role: 'orion', slot: 'ctx2', incarnation: 3, zone, state: 'running' });
      expect(fact.privateIp).toMatch(/^\d+\.\d+\.\d+\.\d+$/);
      expect(Math.abs(fact.launchedAtMs - subject().ports.clock.nowMs())).toBeLessThan(180_000);
      // EC2's status checks are asked for with the fleet alone.
      expect(fact.status).toBe('unknown');
      const status = expect.stringMatching(/^(ok|initializing|unknown)$/);
      expect((await compute().describeFleet()).instances.filter((i) => i.cluster === cluster)).toEqual([{ ...fact, status }]);
      expect((await compute().describeCluster(other)).instances).toEqual([]);
    });

    caseUnless(source.gaps, 'clientToken')('starts nothing new for a token it has seen', async () => {
      const cluster = freshName();
      const first = await launch(cluster);
      expect((await launch(cluster)).instanceId).toBe(first.instanceId);
      expect((await launch(cluster, { slot: 'lb2', token: `${cluster}/lb2` })).instanceId).not.toBe(first.instanceId);
    });

    it('terminates a node; once more is fine', async () => {
      const cluster = freshName();
      const { instanceId } = await running(cluster);
      await compute().terminateNode(instanceId);
      await compute().terminateNode(instanceId);
      const find = async () => (await compute().describeCluster(cluster)).instances.find((i) => i.instanceId === instanceId);
      const isGone = (fact: InstanceFact | undefined) => !fact || fact.state === 'terminated';
      expect(isGone(await eventually(subject(), find, isGone))).toBe(true);
    });

    it('says that an unknown instance is not there', async () => {
      await expect(compute().terminateNode(UNKNOWN_INSTANCE)).rejects.toMatchObject({ name: 'PortError', code: 'notFound' });
    });

    it('deletes placement groups that were never made', async () => {
      await compute().deletePlacementGroups(freshName());
    });
  });
}

/** Addresses: allocated once a name, moved only where that was said. */
export function describeAddressesContract(source: SubjectSource): void {
  describe(`addresses of ${source.name}`, () => {
    const subject = opened(source);
    const addresses = () => subject().ports.addresses;
    const { running } = launcher(subject);
    const seen = async (cluster: string) => (await subject().ports.compute.describeCluster(cluster)).addresses;
    const holderOf = (cluster: string, expected: string | undefined) =>
      eventually(
        subject(),
        async () => (await seen(cluster))[0]?.holder,
        (holder) => holder === expected,
        10_000,
      );

    it('allocates one address a name, and none of another cluster', async () => {
      const [cluster, other] = [freshName(), freshName()];
      const first = await addresses().allocate(cluster, 'entry1');
      expect(first).toMatchObject({ cluster, name: 'entry1', publicIp: expect.stringMatching(/^\d+\.\d+\.\d+\.\d+$/) });
      expect(first.holder).toBeUndefined();
      expect((await addresses().allocate(cluster, 'entry1')).allocationId).toBe(first.allocationId);
      const second = await addresses().allocate(other, 'entry1');
      expect(second.allocationId).not.toBe(first.allocationId);
      expect(await seen(cluster)).toEqual([first]);
      expect((await subject().ports.compute.describeFleet()).addresses).toEqual(expect.arrayContaining([first, second]));
      for (const { allocationId } of [first, second]) await addresses().release(allocationId);
    });

    it('moves an address when that was said, and again to the same node', async () => {
      const cluster = freshName();
      const { allocationId } = await addresses().allocate(cluster, 'entry1');
      const [one, two] = await Promise.all([running(cluster), running(cluster, { slot: 'lb2' })]);
      await addresses().associate(allocationId, one.instanceId, { mayTakeFrom: false });
      expect(await holderOf(cluster, one.instanceId)).toBe(one.instanceId);
      await addresses().associate(allocationId, one.instanceId, { mayTakeFrom: false });
      await addresses().associate(allocationId, two.instanceId, { mayTakeFrom: true });
      expect(await holderOf(cluster, two.instanceId)).toBe(two.instanceId);
      await addresses().release(allocationId);
      expect(await seen(cluster)).toEqual([]);
    });

    caseUnless(source.gaps, 'reassociationGuard')('leaves an address with its holder when it may not be taken', async () => {
      const cluster = freshName();
      const { allocationId } = await addresses().allocate(cluster, 'entry1');
      const [one, two] = await Promise.all([running(cluster), running(cluster, { slot: 'lb2' })]);
      await addresses().associate(allocationId, one.instanceId, { mayTakeFrom: false });
      await expect(addresses().associate(allocationId, two.instanceId, { mayTakeFrom: false })).rejects.toMatchObject(CONFLICT);
      expect(await holderOf(cluster, one.instanceId)).toBe(one.instanceId);
      await addresses().release(allocationId);
    });

    caseUnless(source.gaps, 'freedByTermination')('frees an address whose holder is terminated', async () => {
      const cluster = freshName();
      const { allocationId } = await addresses().allocate(cluster, 'entry1');
      const { instanceId } = await running(cluster);
      await addresses().associate(allocationId, instanceId, { mayTakeFrom: false });
      await subject().ports.compute.terminateNode(instanceId);
      expect(await holderOf(cluster, undefined)).toBeUndefined();
      await addresses().release(allocationId);
    });

    it('leads two addresses to one node, and leaves the first where it is', async () => {
      const cluster = freshName();
      const [first, second] = [await addresses().allocate(cluster, 'entry1'), await addresses().allocate(cluster, 'entry2')];
      const { instanceId, privateIp = '' } = await running(cluster);
      await addresses().associate(first.allocationId, instanceId, { mayTakeFrom: false, privateIp });
      if (!source.gaps?.includes('privateAddresses')) await subject().ports.compute.addPrivateAddress(instanceId);
      const find = async () => (await subject().ports.compute.describeCluster(cluster)).instances[0]?.secondaryIps?.[0];
      const secondary = source.gaps?.includes('privateAddresses') ? undefined : await eventually(subject(), find, (ip) => ip !== undefined);
      const at = secondary === undefined ? {} : { privateIp: secondary };
      await addresses().associate(second.allocationId, instanceId, { mayTakeFrom: false, ...at });
      const holders = async () => (await seen(cluster)).map(({ holder }) => holder);
      const both = (ids: (string | undefined)[]) => ids.length === 2 && ids.every((id) => id === instanceId);
      expect(both(await eventually(subject(), holders, both, 10_000))).toBe(true);
      for (const { allocationId } of [first, second]) await addresses().release(allocationId);
    });

    caseUnless(source.gaps, 'privateAddresses')(
      'leads each address to the private address that was named, and to no other node’s',
      async () => {
        const cluster = freshName();
        const [first, second] = [await addresses().allocate(cluster, 'entry1'), await addresses().allocate(cluster, 'entry2')];
        const { instanceId, privateIp = '', secondaryIps } = await running(cluster);
        expect(secondaryIps).toEqual([]);
        await subject().ports.compute.addPrivateAddress(instanceId);
        const find = async () => (await subject().ports.compute.describeCluster(cluster)).instances[0]?.secondaryIps ?? [];
        const [secondary = ''] = await eventually(subject(), find, (ips) => ips.length === 1);
        expect(secondary).toMatch(/^\d+\.\d+\.\d+\.\d+$/);
        await addresses().associate(first.allocationId, instanceId, { mayTakeFrom: false, privateIp });
        const taken = addresses().associate(second.allocationId, instanceId, { mayTakeFrom: false, privateIp });
        await expect(taken).rejects.toMatchObject(CONFLICT);
        const strange = addresses().associate(second.allocationId, instanceId, { mayTakeFrom: false, privateIp: '10.255.255.1' });
        await expect(strange).rejects.toMatchObject({ name: 'PortError' });
        await addresses().associate(second.allocationId, instanceId, { mayTakeFrom: true, privateIp: secondary });
        const places = async () => (await seen(cluster)).map((address) => address.privateIp);
        const isSo = (ips: (string | undefined)[]) => ips.includes(privateIp) && ips.includes(secondary);
        expect((await eventually(subject(), places, isSo, 10_000)).sort()).toEqual([privateIp, secondary].sort());
        await expect(subject().ports.compute.addPrivateAddress(UNKNOWN_INSTANCE)).rejects.toMatchObject({ code: 'notFound' });
        for (const { allocationId } of [first, second]) await addresses().release(allocationId);
      },
    );

    it('releases an address that is gone already', async () => {
      const { allocationId } = await addresses().allocate(freshName(), 'entry1');
      await addresses().release(allocationId);
      await addresses().release(allocationId);
      await addresses().release(UNKNOWN_ALLOCATION);
    });
  });
}

/** Node commands: sent, then asked after. */
export function describeNodeCommandsContract(source: SubjectSource): void {
  describe(`node commands of ${source.name}`, () => {
    const subject = opened(source);
    const commands = () => subject().ports.commands;
    const { running } = launcher(subject);

    it('says that a node without agent takes none', async () => {
      const sent = commands().send(UNKNOWN_INSTANCE, freshName(), { name: 'restart-role', role: 'lb' });
      await expect(sent).rejects.toMatchObject({ name: 'PortError', code: 'notReady' });
    });

    it('sends a command, which ends with the script’s own result', async () => {
      const cluster = freshName();
      const { instanceId } = await running(cluster);
      const send = async () => {
        try {
          return (await commands().send(instanceId, cluster, { name: 'restart-role', role: 'lb' })).commandId;
        } catch (error) {
          if ((error as { code?: string }).code === 'notReady') return undefined;
          throw error;
        }
      };
      const commandId = (await eventually(subject(), send, (id) => id !== undefined)) ?? '';
      expect(commandId).not.toBe('');
      const ask = () => commands().outcome(instanceId, commandId);
      const outcome = await eventually(subject(), ask, ({ is }) => is !== 'running');
      if (outcome.is === 'succeeded') expect(typeof outcome.output.ok).toBe('boolean');
      else expect(outcome).toMatchObject({ is: 'failed', exitCode: expect.any(Number), detail: expect.stringMatching(/./) });
    });
  });
}

/** Queues: what is sent arrives as it was. */
export function describeQueuesContract(source: SubjectSource): void {
  describe(`queues of ${source.name}`, () => {
    const subject = opened(source);

    it('deliver what was sent, a delayed message later', async () => {
      const { ports, receive } = subject();
      const [soon, later] = [freshName(), freshName()].map((cluster) => ({ kind: 'scale', cluster, role: 'orion', count: 4 }));
      await ports.queues.send('provision', later, 3);
      await ports.queues.send('provision', soon);
      if (!receive) return;
      const got: unknown[] = [];
      const ask = async () => {
        got.push(...(await receive('provision')));
        return got;
      };
      await eventually(subject(), ask, (all) => all.length > 0, 5_000);
      expect(got).toEqual([soon]);
      await eventually(subject(), ask, (all) => all.length > 1, 15_000);
      expect(got).toEqual([soon, later]);
    });
  });
}

/** Probe: a node that does not answer is an outcome, never an error. */
export function describeProbeContract(source: SubjectSource): void {
  describe(`probe of ${source.name}`, () => {
    const subject = opened(source);

    it('answers `failed` for a node that is not there', async () => {
      const { probe } = subject().ports;
      const [http, hello] = await Promise.all([probe.http('http://127.0.0.1:2/version', 1_000), probe.hello('127.0.0.1:2', 1_000)]);
      expect(http.outcome).toMatchObject({ is: 'failed', detail: expect.stringMatching(/./) });
      expect(hello.outcome).toMatchObject({ is: 'failed', detail: expect.stringMatching(/./) });
      expect(hello.hello).toBeUndefined();
    });
  });
}
