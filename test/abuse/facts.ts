/** What EC2, MongoDB and the network may answer, garbled; and what must hold for the looks and plans made of it. */
import type { Address, Instance, InstanceStatus } from '@aws-sdk/client-ec2';
import { serialize } from 'bson';
import fc from 'fast-check';
import { addressFact, instanceFact, statusOf } from '../../lambdas/aws/ec2-facts';
import { decodeHello, encodeHello } from '../../lambdas/aws/mongo-hello';
import type { CloudFacts, HelloFact, Probes } from '../../lambdas/core/facts';
import { findViolations } from '../../lambdas/core/invariants';
import { decodeMessage, queueOf } from '../../lambdas/core/jobs';
import { ROLES, TAG } from '../../lambdas/core/names';
import type { Node } from '../../lambdas/core/observation';
import { observe } from '../../lambdas/core/observe';
import { putInFlight } from '../../lambdas/core/outbox';
import { planSituation } from '../../lambdas/core/plan/plan';
import { lookAt } from '../../lambdas/core/plan/situation';
import { summarize } from '../../lambdas/core/status';
import { aHealthyWorld, NOW_MS, ZONES } from '../builders';
import { hostile, hostileScalar, hostileText } from './hostile';
import { must, type Target, target } from './targets';

const WORLD = aHealthyWorld();
const INSTANCES: Instance[] = WORLD.nodes.map(({ fact }) => ({
  InstanceId: fact.instanceId,
  State: { Name: fact.state },
  PrivateIpAddress: fact.privateIp,
  SubnetId: 'subnet-1',
  Placement: { AvailabilityZone: fact.zone },
  LaunchTime: new Date(fact.launchedAtMs),
  Tags: [
    { Key: TAG.cluster, Value: fact.cluster },
    { Key: TAG.role, Value: fact.role },
    { Key: TAG.slot, Value: fact.slot },
    { Key: TAG.incarnation, Value: String(fact.incarnation) },
  ],
}));
const ADDRESSES: Address[] = [
  {
    AllocationId: 'eipalloc-1',
    PublicIp: '203.0.113.1',
    InstanceId: 'i-1011',
    Tags: [
      { Key: TAG.cluster, Value: 'city' },
      { Key: TAG.address, Value: 'entry1' },
    ],
  },
];

/** What stands in tags is anybody's, because anybody with the right may tag; everything else is EC2's own. */
const tagged = fc
  .tuple(fc.nat(INSTANCES.length - 1), fc.array(fc.tuple(fc.nat(3), hostileText), { maxLength: 2 }))
  .map(([index, changes]): Instance => {
    const { Tags = [], InstanceId, ...rest } = INSTANCES[index] ?? {};
    const tags = Tags.map((tag, i) => ({ ...tag, Value: changes.find(([at]) => at === i)?.[1] ?? tag.Value }));
    return { ...rest, InstanceId: `${InstanceId}f`, Tags: tags };
  });

const tags = target(
  'tags of EC2',
  2,
  fc.tuple(
    tagged,
    fc.array(fc.tuple(hostileText, hostileText), { maxLength: 3 }),
    hostile<InstanceStatus>([{ InstanceStatus: { Status: 'ok' }, SystemStatus: { Status: 'ok' } }]),
  ),
  ([instance, pairs, status]) => {
    const fact = instanceFact(instance, 'ok', {});
    if (fact) {
      must(ROLES.includes(fact.role), `role ${JSON.stringify(fact.role)}`);
      must(Number.isSafeInteger(fact.incarnation) && fact.incarnation > 0, `incarnation ${fact.incarnation}`);
    }
    const [address] = ADDRESSES;
    const more = pairs.map(([Key, Value]) => ({ Key, Value }));
    must(addressFact({ ...address, Tags: [...more, ...(address?.Tags ?? [])] })?.cluster === 'city', 'a tag of somebody else hides ours');
    must(addressFact({ ...address, Tags: more }) === undefined, 'an address without our tags is taken for ours');
    if (typeof status.InstanceStatus === 'object' && typeof status.SystemStatus === 'object')
      must(['ok', 'impaired', 'initializing', 'unknown'].includes(statusOf(status)), 'a status of its own');
  },
);

const WELL = { is: 'ok', latencyMs: 1 } as const;

const HELLO = {
  ok: 1,
  setName: 'orion_rs',
  setVersion: 3,
  isWritablePrimary: true,
  secondary: false,
  me: '10.0.3.11:27017',
  primary: '10.0.3.11:27017',
  hosts: ['10.0.3.11:27017', '10.0.3.21:27017', '10.0.3.31:27017'],
  passives: [] as string[],
  lastWrite: { lastWriteDate: new Date(NOW_MS) },
  maxWireVersion: 21,
};

function replyOf(document: object): Buffer {
  const header = encodeHello(1).subarray(0, 21);
  const body = Buffer.concat([header, serialize(document)]);
  body.writeInt32LE(body.length, 0);
  return body;
}

const bytes = fc.oneof(
  hostile([HELLO]).map((document) => {
    try {
      return replyOf(document);
    } catch {
      return Buffer.alloc(21);
    }
  }),
  fc.tuple(fc.nat(400), fc.nat(255)).map(([at, value]) => {
    const reply = Buffer.from(replyOf(HELLO));
    reply[at % reply.length] = value;
    return reply;
  }),
  fc.uint8Array({ minLength: 21, maxLength: 200 }).map((array) => Buffer.from(array)),
);

const answers = target('answers to hello', 2, bytes, (reply) => {
  let fact: HelloFact | undefined;
  try {
    fact = decodeHello(reply);
  } catch (error) {
    must(error instanceof Error, 'threw what is no Error');
    return;
  }
  must(
    [...fact.hosts, ...fact.passives].every((host) => typeof host === 'string'),
    'hosts that are no texts',
  );
  for (const number of [fact.setVersion, fact.lastWriteS, fact.maxWireVersion])
    must(number === undefined || typeof number === 'number', `a number that is ${typeof number}`);
});

/** Facts of a cluster in which some instance carries hostile tags, some member answers with a hostile `hello`, some other node does not answer. */
const looks = fc.tuple(
  fc.array(tagged, { maxLength: 2 }),
  fc.option(hostile([HELLO])),
  fc.array(fc.nat(INSTANCES.length - 1), { maxLength: 3 }),
  fc.array(fc.tuple(fc.nat(INSTANCES.length - 1), hostileText), { maxLength: 1 }),
  hostileScalar,
);

const plans = target('plans on garbled facts', 2, looks, ([extra, hello, silent, versions, odd]) => {
  const instances = [...INSTANCES, ...extra].flatMap((instance) => instanceFact(instance, 'ok', {}) ?? []);
  const mine = instances.filter(({ cluster }) => cluster === 'city');
  const cloud: CloudFacts = { atMs: NOW_MS, instances: mine, addresses: [...WORLD.observation.addresses] };
  let heard: HelloFact | undefined;
  try {
    heard = hello ? decodeHello(replyOf(hello)) : undefined;
  } catch {
    heard = undefined;
  }
  const answerOf = ({ fact, probe }: Node, i: number): object => {
    if (silent.includes(i))
      return { ...probe, role: fact.role, atMs: NOW_MS, process: { is: 'failed', detail: String(odd) }, database: WELL };
    if (fact.role === 'mongo') return { ...probe, ...(i === 4 && heard ? { hello: heard } : {}) };
    const configVersion = versions.find(([at]) => at === i)?.[1];
    return {
      role: fact.role,
      atMs: NOW_MS,
      process: WELL,
      ...(fact.role === 'lb' ? { ...(configVersion ? { configVersion } : {}) } : { database: WELL }),
    };
  };
  const probes = Object.fromEntries(WORLD.nodes.map((node, i) => [node.fact.instanceId, answerOf(node, i)])) as unknown as Probes;
  const health = Object.fromEntries(
    WORLD.nodes.map((node) => [node.fact.instanceId, { ...node.health, bad: silent.length > 0 ? 3 : 0, badSinceMs: NOW_MS - 60_000 }]),
  );
  const { observation, memory } = observe(WORLD.spec, cloud, probes, { ...WORLD.memory, health }, ZONES, NOW_MS);
  const situation = lookAt(WORLD.spec, 'active', observation, memory, NOW_MS);
  const plan = planSituation(situation);
  // What speaks against an invariant is dropped by the check; what is sent must be what its worker takes.
  const jobs = findViolations(situation, plan.jobs).length > 0 ? [] : plan.jobs;
  for (const job of jobs) {
    const decoded = decodeMessage(queueOf(job), JSON.stringify(job));
    must(decoded.ok, `planned a job its worker can not take: ${decoded.ok ? '' : decoded.problems.join('; ')}`);
  }
  const row = JSON.stringify({ memory: putInFlight(memory, jobs, NOW_MS), status: summarize(situation, plan) });
  must(row.length < 400_000, `a row of ${row.length} characters`);
});

export const FACT_TARGETS: readonly Target[] = [tags, answers, plans];
