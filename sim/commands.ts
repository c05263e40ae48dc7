/** Simulated SSM: commands that take their time, and are lost with their node. Runs what the node scripts would. */
import type { CommandOutcome, NodeCommand } from '../lambdas/app/ports';
import { PortError } from '../lambdas/app/ports';
import type { Role } from '../lambdas/core/names';
import type { NodeConfig } from '../lambdas/core/node-config';
import type { Cloud } from './cloud';
import type { Faults } from './faults';
import { between, type Random } from './random';
import type { ReplicaSets } from './replica-sets';
import type { Scheduler } from './scheduler';
import type { SimNode } from './sim-node';

const RUN_MS: [number, number] = [600, 2_500];
/** From start to first answer, ms; services take as long as a broker. */
const START_MS: Partial<Record<Role, number>> = { lb: 300, mongo: 1_000 };
const SERVICE_START_MS = 2_000;
/** From the start of a process to its death of its configuration, ms: it answers for a moment. */
const DEADLY_MS = 4_000;
/** SSM gives an undelivered command up after this, ms. */
const DELIVERY_MS = 30_000;

export class Commands {
  private readonly outcomes = new Map<string, CommandOutcome>();
  private count = 0;

  constructor(
    private readonly scheduler: Scheduler,
    private readonly random: Random,
    private readonly cloud: Cloud,
    private readonly replicaSets: ReplicaSets,
    private readonly faults: Faults,
    /** What a version stands for: the values, which the rendered text no longer shows. */
    private readonly configOf: (instanceId: string, version: string) => NodeConfig | undefined,
  ) {}

  send(instanceId: string, command: NodeCommand): string {
    const node = this.cloud.nodes.get(instanceId);
    if (!node || node.fact.state === 'terminated') throw new PortError('notReady', `${instanceId} is not registered with SSM`);
    if (node.readyAtMs > this.scheduler.nowMs) throw new PortError('notReady', `${instanceId} is still installing`);
    const commandId = `cmd-${++this.count}`;
    this.outcomes.set(commandId, { is: 'running' });
    this.scheduler.after(between(this.random, ...RUN_MS), () => {
      if (this.cloud.isReachable(node)) this.outcomes.set(commandId, this.run(node, command));
      else
        this.scheduler.after(DELIVERY_MS, () =>
          this.outcomes.set(commandId, { is: 'failed', exitCode: null, detail: 'Delivery timed out' }),
        );
    });
    return commandId;
  }

  outcome(commandId: string): CommandOutcome {
    const outcome = this.outcomes.get(commandId);
    if (!outcome) throw new PortError('notFound', `${commandId} is unknown`);
    return outcome;
  }

  private run(node: SimNode, command: NodeCommand): CommandOutcome {
    this.cloud.tell('commanding', node);
    if (command.name === 'replica-set')
      return { is: 'succeeded', output: this.replicaSets.runScript(node, command.action, command.payload) };
    if (command.name === 'repair-majority') return { is: 'succeeded', output: this.replicaSets.runRepair(node, command) };
    if (command.name === 'restart-role') {
      // A process that answers by now came back by itself: to restart it would take it away once more.
      const answers = !command.evenIfItAnswers && this.cloud.isServing(node);
      if (!command.evenIfItAnswers) this.cloud.tell('restartOrdered', node);
      if (!answers) this.startProcess(node);
      return { is: 'succeeded', output: { ok: true, did: answers ? 'already' : 'restarted' } };
    }
    if (node.diskFull) return { is: 'failed', exitCode: 73, detail: 'No space left on device' };
    const config = this.configOf(node.fact.instanceId, command.version);
    if (!config) return { is: 'failed', exitCode: 65, detail: `no values for version ${command.version}` };
    const refusal = this.faults.refuses(config);
    if (refusal) return { is: 'failed', exitCode: 65, detail: 'exit 65', output: { ok: false, outcome: 'refused', error: refusal } };
    const isReload = node.fact.role === 'lb' && node.process === 'running';
    // A file that was only edited is put back: the process has read the right one.
    const isSame = node.configVersion === command.version && node.process === 'running';
    node.config = config;
    node.configVersion = command.version;
    delete node.edited;
    if (isReload) this.dieOf(config, node);
    else if (!isSame) this.startProcess(node);
    return { is: 'succeeded', output: { ok: true, configVersion: command.version } };
  }

  /** A deadly configuration is found out after the node said that it took it. */
  private dieOf(config: NodeConfig, node: SimNode): void {
    if (!this.faults.isDeadly(config)) return;
    this.scheduler.after(DEADLY_MS, () => {
      if (node.config === config && node.process === 'running') node.process = 'dead';
    });
  }

  /** Starts what runs on a node with the configuration it has, anew where it runs already. */
  private startProcess(node: SimNode): void {
    if (this.cloud.isServing(node)) this.cloud.tell('restarting', node);
    this.bringUp(node);
  }

  /** As systemd does at boot, or after a process has ended by itself. */
  bringUp(node: SimNode): void {
    if (!node.config) return;
    node.process = 'running';
    node.starts++;
    delete node.lostDatabase;
    node.servesFromMs = this.scheduler.nowMs + (START_MS[node.fact.role] ?? SERVICE_START_MS);
    this.dieOf(node.config, node);
    if (node.config.role === 'mongo') this.replicaSets.start(node, node.config.replicaSet);
  }
}
