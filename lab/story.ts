/** The lab's story: create a cluster, scale it, kill parts of it under traffic, delete it; measured with a real clock. Repairs nothing itself. */
import { SendMessageCommand } from '@aws-sdk/client-sqs';
import type { StatusSummary } from '../lambdas/core/memory';
import { type OperatorPorts, operatorPorts } from '../lambdas/runtime';
import { loseBalancer, type PairLoss, setMode, untilAddresses } from './active-active';
import { makeClients } from './clients';
import { watchUntil } from './cluster-eye';
import { commitFault, FAULTS } from './fault';
import { deniedCalls } from './iam-denials';
import { bringDown, bringUp, downOnSignal, type Lab } from './lab';
import { whatIsLeft } from './leftovers';
import { LOCAL_ENTRY } from './local-entry';
import { findLost } from './lost-writes';
import { runCli } from './project-cli';
import { isGood, type Recovery, type Report, renderJson, renderReport } from './report';
import { startTraffic, type Traffic } from './traffic';

export const STORY_CLUSTER = 'city';

const CREATE_S = 240;
const SCALE_MS = 120_000;
const DELETE_S = 120;
const BROKERS_AFTER_SCALING = 4;
const WRITE_EVERY_MS = 100;
const WRITE_TIMEOUT_MS = 2_000;

export interface StoryOptions {
  /** Hears progress. */
  say: (line: string) => void;
  /** Hears the result. */
  print: (line: string) => void;
  json: boolean;
}

/** One chapter after the other; tests run them one by one. */
export class Story {
  readonly recoveries: Recovery[] = [];
  private traffic: Traffic | undefined;

  private constructor(
    readonly lab: Lab,
    private readonly ports: OperatorPorts,
    private readonly say: (line: string) => void,
  ) {}

  static async open(lab: Lab, say: (line: string) => void): Promise<Story> {
    return new Story(lab, await operatorPorts(), say);
  }

  readonly status = async (): Promise<StatusSummary | null> => (await this.ports.rows.get(STORY_CLUSTER))?.status ?? null;

  /** Creates the cluster through the command line, as a person would, and starts the traffic. */
  async create(): Promise<void> {
    this.say(`fiware-ha create ${STORY_CLUSTER} --wait`);
    await runCli(this.lab.endpoint, ['create', STORY_CLUSTER, '--wait', '--timeout', String(CREATE_S)], this.say);
    this.traffic = startTraffic({ ...LOCAL_ENTRY, everyMs: WRITE_EVERY_MS, timeoutMs: WRITE_TIMEOUT_MS });
  }

  /** Scales out by a raw message on the provision queue, as an alarm or another program would. */
  async scaleOut(): Promise<void> {
    const body = { kind: 'scale', cluster: STORY_CLUSTER, role: 'orion', count: BROKERS_AFTER_SCALING };
    const queueUrl = this.ports.controlPlane.queues.provision;
    this.say(`aws sqs send-message --message-body '${JSON.stringify(body)}'`);
    const fromMs = Date.now();
    await makeClients(this.lab.endpoint).sqs.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: JSON.stringify(body) }));
    const isScaled = (status: StatusSummary): boolean =>
      status.converged && status.slots.filter((slot) => slot.role === 'orion').length === BROKERS_AFTER_SCALING;
    const { atMs } = await watchUntil('scaling out', this.status, isScaled, SCALE_MS);
    this.recoveries.push({
      fault: `scaled out to ${BROKERS_AFTER_SCALING} brokers (a raw SQS message)`,
      detectedS: null,
      recoveredS: (atMs - fromMs) / 1000,
      outage: this.flowing().outageBetween(fromMs, Date.now()),
      reason: await this.reasonFor(`ctx${BROKERS_AFTER_SCALING}`, fromMs),
    });
  }

  /** Kills a broker, the address holder and the Mongo primary, one after the other. */
  async killThings(): Promise<void> {
    for (const fault of FAULTS) {
      this.say(`now ${fault.name}`);
      const recovery = await commitFault(fault, {
        read: this.status,
        traffic: this.flowing(),
        reasonFor: (slot, sinceMs) => this.reasonFor(slot, sinceMs),
      });
      this.recoveries.push(recovery);
      this.say(`whole again after ${recovery.recoveredS.toFixed(1)} s`);
    }
  }

  /** Takes up active/active, loses a balancer, and goes back; answers how the loss went. */
  async livesAsPair(): Promise<PairLoss> {
    await setMode(this.ports, STORY_CLUSTER, 'active-active');
    await untilAddresses(this.status, 2);
    const loss = await loseBalancer(this.status);
    await setMode(this.ports, STORY_CLUSTER, 'active-passive');
    await untilAddresses(this.status, 1);
    return loss;
  }

  /** Stops the traffic and reads back what was acknowledged. */
  async countLost(): Promise<{ acknowledged: number; lost: number }> {
    const traffic = this.flowing();
    await traffic.stop();
    const acknowledged = traffic.acknowledged();
    const lost = await findLost({ ...LOCAL_ENTRY, timeoutMs: WRITE_TIMEOUT_MS }, acknowledged);
    return { acknowledged: acknowledged.length, lost: lost.length };
  }

  /** Calls a broker's own role may not make, each refused. */
  async tryForbidden(): Promise<string[]> {
    const broker = (await this.status())?.slots.find((slot) => slot.role === 'orion');
    return deniedCalls(this.lab, broker?.instanceId ?? '');
  }

  /** Deletes the cluster through the command line; answers what is left of it. */
  async remove(): Promise<string[]> {
    this.say(`fiware-ha delete ${STORY_CLUSTER} --confirm ${STORY_CLUSTER} --wait`);
    const args = ['delete', STORY_CLUSTER, '--confirm', STORY_CLUSTER, '--wait', '--timeout', String(DELETE_S)];
    await runCli(this.lab.endpoint, args, this.say);
    const left = await whatIsLeft(makeClients(this.lab.endpoint), STORY_CLUSTER);
    return (await this.ports.rows.get(STORY_CLUSTER)) ? [...left, `row of ${STORY_CLUSTER}`] : left;
  }

  /** Stops what still runs of the story itself. */
  async close(): Promise<void> {
    await this.traffic?.stop();
  }

  private flowing(): Traffic {
    if (!this.traffic) throw new Error('the story has not created its cluster yet');
    return this.traffic;
  }

  private async reasonFor(slot: string, sinceMs: number): Promise<string> {
    const entries = await this.ports.journal.read(STORY_CLUSTER, 200);
    const launch = entries.find((entry) => entry.atMs >= sinceMs && entry.topic === 'launchNode' && entry.text.startsWith(slot));
    return launch?.text ?? 'no reason was journaled';
  }
}

async function tell(lab: Lab, say: (line: string) => void): Promise<Report> {
  const story = await Story.open(lab, say);
  try {
    await story.create();
    await story.scaleOut();
    await story.killThings();
    const { acknowledged, lost } = await story.countLost();
    const denied = await story.tryForbidden();
    const left = await story.remove();
    const { standIns, removedFromTemplate } = lab;
    return { recoveries: story.recoveries, acknowledged, lost, standIns, denied, removedFromTemplate, left };
  } finally {
    await story.close();
  }
}

/** Runs everything from nothing to nothing; answers whether it went as it should. The lab is taken down whatever happens. */
export async function runStory({ say, print, json }: StoryOptions): Promise<boolean> {
  try {
    const lab = await bringUp(say);
    const report = await downOnSignal(say, () => tell(lab, say));
    print(renderReport(report));
    if (json) print(renderJson(report));
    return isGood(report);
  } finally {
    await bringDown(say, { caches: false });
  }
}
