/** Our own steps: a look with the real planner, a command by the real script, and what is checked of each. Injects no failure of the world. */
import { findViolations } from '../../lambdas/core/invariants';
import type { PlannedJob } from '../../lambdas/core/jobs';
import type { Situation } from '../../lambdas/core/plan/situation';
import type { ClusterSpec } from '../../lambdas/core/spec';
import { AbstractMember, votersIn, votersNow } from './abstract-member';
import { anEntity, type Entity, get, HEALTH, isVoter, MEMBER, put } from './entity';
import { type Transition, vanish } from './environment';
import { type Blindness, hostsOf, indexOfHost, indexOfInstance, payloadOf, situationOf } from './situation-of';
import {
  COMMAND,
  type CommandName,
  canonicalKey,
  clone,
  EXPECTS,
  entitiesOf,
  INITIATED,
  isMajority,
  mapEntities,
  orderedKey,
  PENDING,
  type State,
  tidy,
  voices,
  wasVoter,
} from './state';

export type Script = (db: { adminCommand(command: Record<string, unknown>): unknown }, action: string, payload: unknown) => unknown;

/** What is walked: the planner and the node's script; replaced only to prove that a broken one is caught. */
export interface Subject {
  plan(situation: Situation): readonly PlannedJob[];
  script: Script;
}

/** A step of ours: what it led to, and what was wrong with it. */
export interface OwnStep extends Transition {
  violations: string[];
}

type Action = { launch: number } | { command: CommandName; targets: number[] };

interface Decision {
  actions: Action[];
  violations: string[];
}

export class Control {
  planned = 0;

  constructor(
    private readonly subject: Subject,
    private readonly spec: ClusterSpec,
    /** Nodes of one slot at a time, above which no further one is launched in the walk. */
    private readonly nodesPerSlotMax: number,
    private readonly decisions = new Map<string, Decision>(),
  ) {}

  /** The same without the bound on launches: where nothing fails, none is needed. */
  unbounded(): Control {
    return new Control(this.subject, this.spec, Number.POSITIVE_INFINITY, this.decisions);
  }

  /** Asks the planner; what it can't see of a state (commands given up, what one expects) does not count for the answer. */
  decide(state: State, blindness: Blindness): Decision {
    const visible = { ...clone(state), zombie: COMMAND.none, expects: EXPECTS.now };
    mapEntities(visible, (entity) => put(entity, 'zombie', 0));
    const key = `${blindness}${orderedKey(visible)}`;
    const known = this.decisions.get(key);
    if (known) return known;
    const situation = situationOf(visible, this.spec, blindness);
    const jobs = this.subject.plan(situation);
    this.planned++;
    const violations = findViolations(situation, jobs).map((text) => `the plan breaks an invariant: ${text.replace(/\S+@\S+/, '')}`);
    const decision = { actions: jobs.flatMap((job) => actionOf(job) ?? []), violations };
    this.decisions.set(key, decision);
    return decision;
  }

  /** One look and what it starts; each action by itself, so that a failure may come between any two. */
  look(state: State, blindness: Blindness): OwnStep[] {
    const { actions, violations } = this.decide(state, blindness);
    const seen = clone(state);
    const knows = entitiesOf(state).some((e) => get(e, 'health') === HEALTH.up && (get(e, 'member') !== MEMBER.none || get(e, 'stale')));
    // What was planned before anybody knew of the set ends before a broker is told of it.
    const isBusy = state.command === COMMAND.initiate || state.command === COMMAND.terminate;
    if (seen.initiated === INITIATED.unseen && knows && !isBusy) seen.initiated = INITIATED.seen;
    const steps = actions.flatMap((action) => this.begin(seen, action) ?? []);
    if (steps.length === 0 && (violations.length > 0 || seen.initiated !== state.initiated))
      steps.push({ label: 'we look', next: seen, violations: [] });
    for (const step of steps) step.violations.push(...violations);
    return steps;
  }

  private begin(state: State, action: Action): OwnStep | undefined {
    if ('launch' in action) {
      const slot = state.wanted[action.launch];
      if (!slot || slot.length >= this.nodesPerSlotMax) return undefined;
      const next = clone(state);
      next.wanted[action.launch]?.push(anEntity({ health: HEALTH.boot }));
      return { label: 'we launch a node', next, violations: [] };
    }
    // A beginning under way is not disruptive; what is planned beside it follows once it is over.
    if (state.command === COMMAND.initiate || (action.command === 'initiate' && state.command !== COMMAND.none)) return undefined;
    const violations = checkPlanned(state, action);
    const next = mapEntities(clone(state), (entity, i) => put(entity, 'command', action.targets.includes(i) ? 1 : 0));
    next.command = COMMAND[action.command];
    next.expects = EXPECTS.now;
    return { label: `we plan: ${action.command}`, next: tidy(next), violations };
  }

  /** The command under way, or the one given up, runs on the primary of now. */
  execute(state: State, which: 'command' | 'zombie'): OwnStep {
    const name = Object.keys(COMMAND)[state[which]] as CommandName;
    const label = which === 'zombie' ? `a command given up runs after all: ${name}` : `the command runs: ${name}`;
    const all = entitiesOf(state);
    const target = all.findIndex((entity) => get(entity, which));
    if (name === 'terminate') {
      const violations = checkTermination(state, all[target] ?? 0);
      return { label, next: over(vanish(state, target), which), violations };
    }
    const runner = name === 'initiate' ? target : all.findIndex((entity) => get(entity, 'primary'));
    if (runner < 0 || get(all[runner] ?? 0, 'health') > HEALTH.unseen)
      return { label: `${label} (nobody to run it)`, next: over(state, which), violations: [] };
    const member = new AbstractMember(state, runner);
    const { action, payload } = payloadOf(state, which);
    this.subject.script(member, action, payload);
    const violations = [...checkCommands(state, member.given), ...checkEffect(state, member.state, name)];
    const next = member.state;
    if (configText(next) !== configText(state)) {
      const moved = next.pending === PENDING.none ? EXPECTS.other : EXPECTS.base;
      next.expects = state.expects === EXPECTS.now ? moved : EXPECTS.other;
      next.zombieExpects = state.zombieExpects === EXPECTS.now ? moved : EXPECTS.other;
    }
    return { label, next: over(next, which), violations };
  }

  /** Forgets a command planned for a configuration that is no more, once it is sure that it does nothing; else says what it does. */
  dropStale(state: State): OwnStep {
    const violations: string[] = [];
    let next = state;
    for (const [which, expects] of [
      ['command', 'expects'],
      ['zombie', 'zombieExpects'],
    ] as const) {
      if (next[expects] !== EXPECTS.other || next[which] === COMMAND.none || next[which] >= COMMAND.terminate) continue;
      const dropped = over(next, which);
      const { label, next: ran } = this.execute(next, which);
      if (canonicalKey(ran) !== canonicalKey(dropped))
        violations.push(`a command acts on another configuration than it was planned for (${label})`);
      next = dropped;
    }
    return { label: '', next, violations };
  }

  /** How a command may end otherwise: it never runs, or it is given up and may still run later. */
  interruptions(state: State, lateCommands: boolean): Transition[] {
    const found: Transition[] = [];
    if (state.zombie !== COMMAND.none) found.push({ label: 'the command given up never runs', next: over(state, 'zombie') });
    if (state.command === COMMAND.none) return found;
    found.push({ label: 'the command never runs', next: over(state, 'command') });
    // A launch, a beginning or a termination that comes late is the executor's to refuse: it is outside this walk.
    const mayBeLate = lateCommands && state.command !== COMMAND.initiate && state.command !== COMMAND.terminate;
    if (state.zombie === COMMAND.none && mayBeLate) {
      const next = mapEntities(clone(state), (entity) => put(put(entity, 'zombie', get(entity, 'command')), 'command', 0));
      Object.assign(next, { zombie: state.command, zombieExpects: state.expects, command: COMMAND.none, expects: EXPECTS.now });
      found.push({ label: 'the command is given up', next: tidy(next) });
    }
    return found;
  }
}

/** Who is a member and how, by entity; the same text for the same configuration. */
function configText(state: State): string {
  return votersNow(state).join() + hostsOf(state).silent.join();
}

/** The state without one of the commands. */
export function over(state: State, which: 'command' | 'zombie'): State {
  const next = clone(state);
  next[which] = COMMAND.none;
  return tidy(next);
}

function actionOf(job: PlannedJob): Action | undefined {
  switch (job.kind) {
    case 'launchNode':
      return job.role === 'mongo' ? { launch: Number(/\d+$/.exec(job.slot)?.[0]) - 1 } : undefined;
    case 'terminateNode':
      return job.role === 'mongo' ? { command: 'terminate', targets: [indexOfInstance(job.instanceId)] } : undefined;
    case 'initiateReplicaSet':
      return { command: 'initiate', targets: job.members.map(indexOfHost) };
    case 'stepDownPrimary':
      return { command: 'stepDown', targets: [] };
    case 'reconfigReplicaSet':
      return { command: job.change.change, targets: [indexOfHost(job.change.host)] };
    case 'restartRole':
      return undefined;
    default:
      return undefined;
  }
}

function checkPlanned(state: State, action: Extract<Action, { command: CommandName }>): string[] {
  const { command, targets } = action;
  if (state.command !== COMMAND.none) return [`${command} was planned while another command is under way`];
  if (command === 'terminate') return checkTermination(state, entitiesOf(state)[targets[0] ?? -1] ?? 0).map((text) => `planned: ${text}`);
  if (command !== 'initiate' && !isMajority(voices(state))) return [`${command} was planned while the majority is lost`];
  return [];
}

/** A set that no look has ever seen holds no data, because no broker was told of it: its nodes may go. */
function checkTermination(state: State, target: Entity): string[] {
  if (state.initiated === INITIATED.unseen) return [];
  if (isVoter(target)) return ['a voter is terminated by us'];
  if (wasVoter(state, target)) return ['a node is terminated whose removal from the voters may still be rolled back'];
  return [];
}

function checkCommands(state: State, given: readonly Record<string, unknown>[]): string[] {
  const before = votersNow(state);
  return given.flatMap((command) => {
    const found: string[] = [];
    if (JSON.stringify(command).includes('"force"')) found.push('a command is forced');
    const after = votersIn(command);
    if (!after) return found;
    const changed = before.filter((host) => !after.includes(host)).length + after.filter((host) => !before.includes(host)).length;
    if (changed > 1) found.push(`${changed} voters change at once`);
    if (after.length > 7) found.push(`${after.length} voters, 7 at most`);
    return found;
  });
}

/** What a command has done, by the truth and not by what was seen. */
function checkEffect(before: State, after: State, name: CommandName): string[] {
  const found: string[] = [];
  if (name === 'initiate') {
    const isNew = entitiesOf(after).some((e, i) => isVoter(e) && !isVoter(entitiesOf(before)[i] ?? 0));
    if (isNew && before.initiated === INITIATED.seen) found.push('a replica set is initiated a second time');
    return found;
  }
  if (configText(after) === configText(before)) return found;
  if (!isMajority(voices(before))) found.push(`${name}: a change without a living majority`);
  else if (!isMajority(voices(after))) found.push(`${name}: takes the living majority away`);
  if (
    voices(before).voters > 1 &&
    name === 'raise-vote' &&
    [...after.wanted, ...after.surplus].some((slot) => slot.filter(isVoter).length > 1)
  )
    found.push('two nodes of one slot vote');
  if (entitiesOf(after).some((e, i) => isVoter(e) && !get(e, 'synced') && !isVoter(entitiesOf(before)[i] ?? 0)))
    found.push('a member votes before it has caught up');
  return found;
}
