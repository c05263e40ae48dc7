import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type ActContext, freezeVoter, openActs } from '../bench/mongo-acts';
import { thawAll } from '../frozen';
import { type Counts, guardCounts } from '../guard';
import { bringUp, type Lab } from '../lab';
import { runCli } from '../project-cli';
import { renderRecoveries } from '../report';
import { STORY_CLUSTER, Story } from '../story';
import { requestsOf } from './requests';

const quiet = (): void => undefined;

/** Of each worker's role, what such a life can't be lived without. */
const ASKED_IN_A_LIFE = {
  HealthCheck: ['ec2:DescribeInstances', 'dynamodb:PutItem', 'ssm:GetParameter', 'ssm:GetCommandInvocation', 'sqs:SendMessage'],
  Provision: ['ec2:RunInstances', 'ec2:CreateTags', 'iam:PassRole', 'ec2:TerminateInstances', 'ec2:AllocateAddress', 'ssm:SendCommand'],
  Failover: ['ec2:AssociateAddress', 'ec2:DescribeInstances', 'dynamodb:PutItem'],
  Nodeslb: ['sqs:SendMessage'],
};

/** One cluster's life, chapter by chapter: each test needs the ones before it. */
describe('a cluster in the lab', () => {
  let lab: Lab;
  let story: Story;
  /** Other tests try what is forbidden. */
  let before: Counts;
  /** A writer to the replica set itself, from the faults on. */
  let acts: ActContext;

  beforeAll(async () => {
    lab = await bringUp(quiet);
    before = await guardCounts(lab.endpoint);
    story = await Story.open(lab, quiet);
  });
  afterAll(async () => {
    await thawAll();
    await acts?.writer.close();
    await story.close();
    process.stderr.write(`\n${renderRecoveries(story.recoveries)}\n`);
  });

  it('is created through the command line, from nothing to whole', async () => {
    await story.create();
    const status = await story.status();
    expect(status?.converged).toBe(true);
    expect(status?.slots.map(({ slot }) => slot)).toEqual(['lb1', 'lb2', 'ctx1', 'ctx2', 'mdb1', 'mdb2', 'mdb3']);
  });

  it('refuses what makes no sense, with field, value and what is allowed in its events', async () => {
    const ask = await requestsOf(STORY_CLUSTER);
    expect(await ask({ kind: 'scale', role: 'orion', count: 99 })).toMatch(/orion.*99|99.*orion/s);
    expect(await ask({ kind: 'scale', role: 'mongo', count: 2 })).toMatch(/mongo\.count: expected 1, 3, 5 or 7.*2/s);
    expect(await ask({ kind: 'deleteCluster' })).toMatch(/confirm/);
    await expect(runCli(lab.endpoint, ['create', STORY_CLUSTER, '--wait', '--timeout', '60'], quiet)).rejects.toThrow(/exists already/);
    expect((await story.status())?.converged).toBe(true);
  });

  it('scales out by a raw message on the queue', async () => {
    await story.scaleOut();
    expect((await story.status())?.slots.filter(({ role }) => role === 'orion')).toHaveLength(4);
  });

  it('heals a killed broker, address holder and Mongo primary', async () => {
    const before = await story.status();
    acts = await openActs({ lab, say: quiet }, STORY_CLUSTER);
    await story.killThings();
    const after = await story.status();
    expect(after?.converged).toBe(true);
    const replaced = after?.slots.filter(({ slot, instanceId }) => before?.slots.find((s) => s.slot === slot)?.instanceId !== instanceId);
    expect(replaced).toHaveLength(3);
    expect(replaced?.map(({ incarnation }) => incarnation)).toEqual([2, 2, 2]);
  });

  it('takes up active/active: both addresses survive a balancer on the one left, and one returns to the replacement', async () => {
    const { servedS, wholeS, status } = await story.livesAsPair();
    process.stderr.write(
      `\nactive/active: both addresses answer again after ${servedS.toFixed(1)} s, whole again after ${wholeS.toFixed(1)} s\n`,
    );
    expect(servedS).toBeLessThan(10);
    expect(new Set(status.addresses.map(({ holder }) => holder)).size).toBe(2);
    expect((await story.status())?.addresses.map(({ name }) => name)).toEqual(['entry1']);
  });

  it('retires a replica-set member that hung and came back after its removal', async () => {
    const { misdeeds } = await freezeVoter(acts, 'secondary');
    expect(misdeeds).toEqual([]);
    expect((await story.status())?.converged).toBe(true);
  });

  it('lost none of the documents its replica set acknowledged meanwhile', async () => {
    const { acknowledged, ...found } = await acts.writer.stopAndReadBack();
    expect(acknowledged).toBeGreaterThan(500);
    expect(found).toMatchObject({ lost: [], duplicates: [], strangers: [] });
  });

  it('lost none of the writes it acknowledged meanwhile', async () => {
    const { acknowledged, lost } = await story.countLost();
    expect(acknowledged).toBeGreaterThan(50);
    expect(lost).toBe(0);
  });

  it('has nodes whose own role may not touch the cloud', async () => {
    expect(await story.tryForbidden()).toHaveLength(4);
  });

  it('is deleted with everything that belonged to it', async () => {
    expect(await story.remove()).toEqual([]);
  });

  it('lived from first to last by calls that the policies of AWS allow: the guard refused none of the control plane', async () => {
    const counts = await guardCounts(lab.endpoint);
    for (const [worker, mustHaveAsked] of Object.entries(ASKED_IN_A_LIFE)) {
      const role = Object.keys(counts).find((name) => name.includes(worker)) ?? '';
      const asked = Object.entries(counts[role] ?? {}).map(([action, { allowed, refused }]) => {
        const was = before[role]?.[action] ?? { allowed: 0, refused: 0 };
        return { action, allowed: allowed - was.allowed, refused: refused - was.refused };
      });
      expect(asked.filter(({ allowed }) => allowed > 0).map(({ action }) => action)).toEqual(expect.arrayContaining(mustHaveAsked));
      expect(asked.filter(({ refused }) => refused > 0)).toEqual([]);
    }
  });
});
