/** Bugs somebody could make in the control plane, each a small patch, and the seed that is known to find it. Changes nothing by itself. */

export interface Patch {
  file: string;
  /** Must be there exactly once. */
  find: string;
  replace: string;
}

export interface Mutant {
  name: string;
  bug: string;
  patches: readonly Patch[];
  /** A seed that finds it; absent where no search has found one so far. */
  seed?: number;
}

const INVARIANTS_OFF: Patch = {
  file: 'lambdas/core/invariants.ts',
  find: 'const violations = jobs.flatMap((job) => {',
  replace: 'if (s) return [];\n  const violations = jobs.flatMap((job) => {',
};

export const MUTANTS: readonly Mutant[] = [
  {
    name: 'holder-not-probed',
    bug: 'an address moves whatever the two looks at its holder say',
    patches: [{ file: 'lambdas/app/executors/addresses.ts', find: 'return stays ?', replace: 'return stays && move.to === "" ?' }],
    seed: 10,
  },
  {
    name: 'one-place-for-all',
    bug: 'every address is led to the first private address of its balancer',
    patches: [
      {
        file: 'lambdas/core/entry-place.ts',
        find: 'const ip = secondary ? secondaryIps?.[nth - 2] : privateIp;',
        replace: 'const ip = privateIp;',
      },
    ],
    seed: 3,
  },
  {
    name: 'double-acknowledged',
    bug: 'a double of a job that is being worked on is taken off the queue, and the job is lost with its worker',
    patches: [
      {
        file: 'lambdas/app/execute.ts',
        find: "if (state.is === 'running' && !state.commandId)\n    throw",
        replace: "if (jobKey === '')\n    throw",
      },
    ],
  },
  {
    name: 'job-never-settled',
    bug: 'a job that ended stays in flight',
    patches: [{ file: 'lambdas/core/settle.ts', find: 'delete memory.inFlight[job.jobKey];', replace: '' }],
    seed: 1,
  },
  {
    name: 'outbox-empty',
    bug: 'jobs are sent, and not remembered as in flight',
    patches: [{ file: 'lambdas/core/outbox.ts', find: 'next.inFlight[job.jobKey] = { job, plannedAtMs: nowMs };', replace: '' }],
    seed: 1,
  },
  {
    name: 'member-terminated',
    bug: 'a member of the replica set may be terminated (its removal from the set is not awaited)',
    patches: [{ file: 'lambdas/core/plan/removals.ts', find: 'if (member) return', replace: 'if (member && !s) return' }, INVARIANTS_OFF],
    seed: 23,
  },
  {
    name: 'disruptions-unlimited',
    bug: 'as many disruptions at once as there are planners',
    patches: [{ file: 'lambdas/core/plan/plan.ts', find: 'else if (disruption === undefined) {', replace: 'else if (job) {' }],
    seed: 1,
  },
  {
    name: 'breaker-removed',
    bug: 'nothing keeps the control plane from replacing all it can not see',
    patches: [
      { file: 'lambdas/core/breaker.ts', find: 'const open = judged.length > 0 &&', replace: 'const open = judged.length > 1_000 &&' },
    ],
    seed: 456,
  },
  {
    name: 'placement-groups-stay',
    bug: 'a deleted cluster leaves its placement groups',
    patches: [{ file: 'lambdas/app/executors/forget.ts', find: 'await ports.compute.deletePlacementGroups(cluster);', replace: '' }],
    seed: 9,
  },
  {
    name: 'budget-not-taken',
    bug: 'terminations do not count against the budget of the fleet',
    patches: [
      { file: 'lambdas/app/executors/nodes.ts', find: 'if (!isDeletion && !(await', replace: 'if (!isDeletion && !slot && !(await' },
    ],
    seed: 32,
  },
  {
    name: 'unlisted-taken-for-gone',
    bug: 'a node that EC2 does not list yet counts as terminated',
    patches: [
      {
        file: 'lambdas/app/executors/nodes.ts',
        find: "if (!fact) return { is: 'waiting', reason:",
        replace: "if (!fact) return { is: 'already' };\n  if (!fact) return { is: 'waiting', reason:",
      },
    ],
    seed: 1,
  },
  {
    name: 'never-configured-left-alone',
    bug: 'a node that was told nothing in time is never told anything',
    patches: [
      {
        file: 'lambdas/core/plan/configuration.ts',
        find: "return health.health === 'dead' && configVersion !== undefined;",
        replace: "return health.health === 'dead' || configVersion === '';",
      },
      {
        file: 'lambdas/core/breaker.ts',
        find: '(node.health.everHealthy || isUnseen(node))',
        replace: '(node.health.everHealthy || node.health.health === "dead" || isUnseen(node))',
      },
    ],
    seed: 770,
  },
  {
    name: 'unknown-is-bad',
    bug: 'a probe that could not be made counts against the node',
    patches: [
      {
        file: 'lambdas/core/health.ts',
        find: "if (verdict.is === 'bad') return foldBad",
        replace: "if (verdict.is !== 'blind' || verdict.detail) return foldBad",
      },
    ],
  },
  {
    name: 'broker-blamed-for-database',
    bug: 'a broker without a database counts as dead, and is replaced for it',
    patches: [
      {
        file: 'lambdas/core/health.ts',
        find: "return { is: 'good', sickness: 'database', detail:",
        replace: "return { is: 'bad', detail:",
      },
      {
        file: 'lambdas/core/plan/launches.ts',
        find: 'return isService(role) && serviceEntry(role).needs.replicaSet && !s.mongo.primary;',
        replace: 'return false;',
      },
    ],
    seed: 3,
  },
  {
    name: 'slow-is-dead',
    bug: 'a node that answers slowly counts as dead',
    patches: [
      {
        file: 'lambdas/core/health.ts',
        find: "if (process.latencyMs > SLOW_MS) return { is: 'good', sickness: 'overload', detail:",
        replace: "if (process.latencyMs > SLOW_MS) return { is: 'bad', detail:",
      },
    ],
    seed: 20,
  },
  {
    name: 'streak-inverted',
    bug: 'a node comes back with its first good answer lost, instead of after several',
    patches: [
      {
        file: 'lambdas/core/health.ts',
        find: 'const back = !wasDown || good >= policy.healthyAfterChecks;',
        replace: 'const back = !wasDown || good < policy.healthyAfterChecks;',
      },
    ],
    seed: 1,
  },
  {
    name: 'fleet-not-cut',
    bug: 'a cluster is told of the nodes of all clusters',
    patches: [{ file: 'lambdas/app/fan-out.ts', find: 'fact.cluster === cluster && fact.state', replace: 'fact.state' }],
    seed: 9,
  },
  {
    name: 'primary-removed',
    bug: 'a primary is to remove itself, without stepping down first',
    patches: [
      {
        file: 'lambdas/core/plan/replica-set.ts',
        find: "if (wish.change.change === 'remove' && wish.change.host === primary.host) {",
        replace: "if (wish.change.change === 'remove' && wish.change.host === '') {",
      },
    ],
    seed: 2,
  },
  {
    name: 'delete-unconfirmed',
    bug: 'a cluster is deleted without confirmation',
    patches: [{ file: 'lambdas/app/requests.ts', find: 'if (job.confirm !== cluster)', replace: 'if (job.confirm === "-")' }],
    seed: 30,
  },
  {
    name: 'rollout-at-once',
    bug: 'all brokers restart at once for a new configuration',
    patches: [
      {
        file: 'lambdas/core/plan/configuration.ts',
        find: '(!isNew && (rolling || !othersAreWell(s, current)))',
        replace: '(!isNew && rolling && slot === "")',
      },
    ],
    seed: 3,
  },
  {
    name: 'balancers-not-told',
    bug: 'a running balancer is not told of brokers that came or went',
    patches: [
      {
        file: 'lambdas/core/plan/configuration.ts',
        find: 'if (!desired || isInStep(s.configs, current)) continue;',
        replace: 'if (!desired || isInStep(s.configs, current) || (role === "lb" && current.configVersion)) continue;',
      },
    ],
    seed: 1,
  },
  {
    name: 'restarted-for-ever',
    bug: 'a process that will not come up is restarted again and again, its node never replaced',
    patches: [
      {
        file: 'lambdas/core/plan/launches.ts',
        find: '?.count ?? 0) < restarts;',
        replace: '?.count ?? 0) < 99;',
      },
    ],
    seed: 10,
  },
  {
    name: 'extras-forgotten',
    bug: 'a second node of a slot is not seen',
    patches: [{ file: 'lambdas/core/slots.ts', find: 'extras: nodes.slice(1) };', replace: 'extras: [] };' }],
    seed: 1,
  },
  {
    name: 'initiated-twice',
    bug: 'that a set was initiated once is forgotten when nobody tells',
    patches: [
      {
        file: 'lambdas/core/plan/mongo-view.ts',
        find: 'best !== undefined || memory.replicaSetInitiated,',
        replace: 'best !== undefined,',
      },
    ],
    seed: 8,
  },
  {
    name: 'decides-blindly',
    bug: 'EC2 that could not be read counts as empty',
    patches: [{ file: 'lambdas/core/plan/gates.ts', find: 'if (!s.observation.cloudKnown)', replace: 'if (!s.spec)' }],
    seed: 5,
  },
];
