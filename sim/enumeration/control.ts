/** Our own steps: a look with the real planner, a command by the real script, and what is checked of each. Injects no failure of the world. */
import { findViolations } from '../../lambdas/core/invariants';
import type { PlannedJob } from '../../lambdas/core/jobs';
import type { Situation } from '../../lambdas/core/plan/situation';
import type { ClusterSpec } from '../../lambdas/core/spec';
import { AbstractMember } from './abstract-member';
import { checkCommands, checkEffect, checkPlanned, checkTermination, configText, type PlannedCommand } from './checks';
import { anEntity, type Entity, get, HEALTH, isVoter, MEMBER, put } from './entity';
import { commit, type Failures, type Transition, vanish } from './environment';
import { indexOfHost, indexOfInstance, payloadOf, situationOf, type View } from './situation-of';
import {
  COMMAND,
  type CommandName,
  canonicalKey,
  clone,
  type Entities,
  EXPECTS,
  entitiesOf,
  INITIATED,
  mapEntities,
  orderedKey,
  PENDING,
  pack,
  type State,
  tidy,
  unpack,
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

type Action = { launch: number } | { configure: number } | PlannedCommand;

interface Decision {
  actions: Action[];
  violations: string[];
}

export class Control {
  /** Times the planner and the script were run. */
  planned = 0;
  ran = 0;

  constructor(
    private readonly subject: Subject,
    private readonly spec: ClusterSpec,
    readonly failures: Failures,
  ) {}

  private readonly decisions = new Map<string, Decision>();

  /** Asks the planner once for all states that look alike to it; see `visibleOf`. */
  decide(state: State, view: View): Decision {
    const visible = visibleOf(state);
    const key = `${view.blindness}${view.firstMember}${orderedKey(visible)}`;
    const known = this.decisions.get(key);
    if (known) return known;
    const situation = situationOf(visible, this.spec, view);
    const jobs = this.subject.plan(situation);
    this.planned++;
    const violations = findViolations(situation, jobs).map((text) => `the plan breaks an invariant: ${text.replace(/\S+@\S+/, '')}`);
    const decision = { actions: jobs.flatMap((job) => actionOf(job) ?? []), violations };
    this.decisions.set(key, decision);
    return decision;
  }

  /** One look and what it starts; each action by itself, so that a failure may come between any two. */
  look(state: State, view: View): OwnStep[] {
    const { actions, violations } = this.decide(state, view);
    const seen = clone(state);
    const knows = entitiesOf(state).some((e) => get(e, 'health') === HEALTH.up && (get(e, 'member') !== MEMBER.none || get(e, 'stale')));
    // What was planned before anybody knew of the set ends before a broker is told of it.
    const isBusy = state.command === COMMAND.initiate || state.command === COMMAND.terminate;
    if (seen.initiated === INITIATED.unseen && knows && !isBusy) seen.initiated = INITIATED.seen;
    const steps = actions.flatMap((action) => this.begin(seen, action));
    for (const step of steps) step.violations.push(...violations);
    if (steps.length === 0 && (violations.length > 0 || seen.initiated !== state.initiated))
      steps.push({ label: 'we look', next: seen, violations: [...violations] });
    return state.pending === PENDING.none ? steps : this.withoutEarly(seen, steps, view);
  }

  /**
   * A change planned while the one before is not committed acts on nothing until that is (308), and for nothing if that is rolled back. It
   * is the same as the one planned after the commit, where the planner plans it there too: then it is followed from there alone.
   */
  private withoutEarly(state: State, steps: OwnStep[], view: View): OwnStep[] {
    const committed = commit(state);
    if (!committed || state.command !== COMMAND.none) return steps;
    let later: Set<string> | undefined;
    return steps.filter((step) => {
      const { command } = step.next;
      if (command === COMMAND.none || command >= COMMAND.terminate || step.violations.length > 0) return true;
      later ??= new Set(this.look(committed, view).map(({ next }) => canonicalKey(next)));
      const after = commit(step.next);
      return !after || !later.has(canonicalKey(after)) || (command !== COMMAND.stepDown && this.acts(step.next));
    });
  }

  /** The command under way changes something, if it runs now. */
  private acts(state: State): boolean {
    const { next, violations } = this.execute(state, 'command');
    return violations.length > 0 || canonicalKey(next) !== canonicalKey(over(state, 'command'));
  }

  private begin(state: State, action: Action): OwnStep[] {
    if ('launch' in action) return this.launch(state, action.launch);
    if ('configure' in action) return configure(state, action.configure);
    // A beginning under way is not disruptive; what is planned beside it follows once it is over.
    if (state.command === COMMAND.initiate || (action.command === 'initiate' && state.command !== COMMAND.none)) return [];
    const violations = checkPlanned(state, action);
    const next = mapEntities(clone(state), (entity, i) => put(entity, 'command', action.targets.includes(i) ? 1 : 0));
    next.command = COMMAND[action.command];
    next.expects = EXPECTS.now;
    return [{ label: `we plan: ${action.command}`, next: tidy(next), violations }];
  }

  /** A new node in a slot, with an address of its own or with that of a member that is gone. */
  private launch(state: State, slot: number): OwnStep[] {
    const found: OwnStep[] = [];
    const mayHang = this.failures.slowBoots || state.initiated !== INITIATED.seen;
    const add = (label: string, entity: Entity, ghosts: Entities) => {
      const next = { ...clone(state), ghosts };
      next.wanted[slot] += pack(entity);
      found.push({ label, next: tidy(next), violations: [] });
    };
    add('we launch a node', anEntity({ health: mayHang ? HEALTH.boot : HEALTH.up }), state.ghosts);
    if (this.failures.addressReuse)
      for (const [i, ghost] of unpack(state.ghosts).entries()) {
        const others = state.ghosts.slice(0, i) + state.ghosts.slice(i + 1);
        add('we launch a node, which gets the address of a member that is gone', put(ghost, 'health', HEALTH.taken), others);
      }
    return found;
  }

  /** The command under way, or the one given up, runs on the primary of now. With its answer lost it stays under way, and may run again. */
  execute(state: State, which: 'command' | 'zombie', answer: 'told' | 'lost' = 'told'): OwnStep {
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
    const member = new AbstractMember(state, runner, this.failures.staleClaims);
    const { action, payload } = payloadOf(state, which);
    this.subject.script(member, action, payload);
    this.ran++;
    const violations = [...checkCommands(state, member.given), ...checkEffect(state, member.state, name)];
    const next = member.state;
    if (configText(next) !== configText(state)) {
      const again = new AbstractMember(next, runner, this.failures.staleClaims);
      this.subject.script(again, action, payload);
      if (configText(again.state) !== configText(next)) violations.push(`${name}: delivered twice, it acts twice`);
      const moved = next.pending === PENDING.none ? EXPECTS.other : EXPECTS.base;
      next.expects = state.expects === EXPECTS.now ? moved : EXPECTS.other;
      next.zombieExpects = state.zombieExpects === EXPECTS.now ? moved : EXPECTS.other;
    }
    return { label, next: answer === 'lost' ? next : over(next, which), violations };
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
  interruptions(state: State): Transition[] {
    const found: Transition[] = [];
    if (state.zombie !== COMMAND.none) found.push({ label: 'the command given up never runs', next: over(state, 'zombie') });
    if (state.command === COMMAND.none) return found;
    found.push({ label: 'the command never runs', next: over(state, 'command') });
    // A launch, a beginning or a termination that comes late is the executor's to refuse: it is outside this walk.
    const mayBeLate = this.failures.lateCommands && state.command !== COMMAND.initiate && state.command !== COMMAND.terminate;
    if (state.zombie === COMMAND.none && mayBeLate) {
      const next = mapEntities(clone(state), (entity) => put(put(entity, 'zombie', get(entity, 'command')), 'command', 0));
      Object.assign(next, { zombie: state.command, zombieExpects: state.expects, command: COMMAND.none, expects: EXPECTS.now });
      found.push({ label: 'the command is given up', next: tidy(next) });
    }
    return found;
  }
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
    case 'applyConfig':
      return job.role === 'mongo' ? { configure: indexOfInstance(job.instanceId) } : undefined;
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

/** A node that ran nothing yet starts, empty. With no voter left that could come back, what follows is for a person. */
function configure(state: State, index: number): OwnStep[] {
  const violations: string[] = [];
  const all = entitiesOf(state);
  const entity = all[index] ?? 0;
  const isVoterLeft = (one: Entity) => (isVoter(one) || wasVoter(state, one)) && get(one, 'health') <= HEALTH.down;
  if (!all.some(isVoterLeft)) return [];
  if (get(entity, 'member') !== MEMBER.none) violations.push('an empty node is started under the address of a member');
  else if (get(entity, 'pending')) violations.push('an empty node is started under an address whose removal may still be rolled back');
  const next = mapEntities(clone(state), (one, i) => (i === index ? put(one, 'health', HEALTH.up) : one));
  return [{ label: 'we start a node', next: tidy(next), violations }];
}

/** What the planner can see of a state: not a command given up, nor what one expects, and of any disruption under way that there is one. */
function visibleOf(state: State): State {
  const isDisrupted = state.command !== COMMAND.none && state.command !== COMMAND.initiate;
  if (!isDisrupted && state.zombie === COMMAND.none && state.expects === EXPECTS.now) return state;
  const command = isDisrupted ? COMMAND.stepDown : state.command;
  const visible = { ...clone(state), command, zombie: COMMAND.none, expects: EXPECTS.now };
  return mapEntities(visible, (entity) => (isDisrupted ? put(put(entity, 'zombie', 0), 'command', 0) : put(entity, 'zombie', 0)));
}
