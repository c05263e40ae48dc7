/** What is made of a spec for places without a control plane, and the steps that mongosh runs on a member: abused like everything else. */
import fc from 'fast-check';
import { parseAnySpec } from '../../lambdas/core/spec';
import { parseAddresses } from '../../recipes/addresses';
import type { RecipeFile } from '../../recipes/recipe';
import { A, ALL_WELL, aConfig, B, C, type Command, config, EXPECT, run as runStep, ScriptedDb } from '../nodes/scripted-db';
import { ALL_ENABLERS, baremetal, compose, SLIDES_ADDRESSES, swarm } from '../recipes/specs';
import { hostile } from './hostile';
import { GOOD_SPEC } from './messages';
import { areFitToRead, must, type Target, target } from './targets';

const { run: runRepair } = require('../../nodes/mongo/repair-majority.js') as {
  run(db: ScriptedDb, payload: unknown, nowMs?: number): Record<string, unknown>;
};

/** Signs of the hostile texts that no rendered file has of its own. */
const SIGNS = /evil|reboot|etc\/passwd|\{\{|\$IFS/;
const PLAIN = /^[\p{L}\p{N}\p{P}\p{S}\x20\n]*$/u;

function areHarmless(files: readonly RecipeFile[]): void {
  for (const { path, content } of files) {
    must(/^[\w./-]+$/.test(path) && !path.includes('..') && !path.startsWith('/'), `a file at ${JSON.stringify(path)}`);
    const sign = SIGNS.exec(content);
    must(sign === null, `${path}: ${JSON.stringify(content.slice(Math.max(0, (sign?.index ?? 0) - 60), (sign?.index ?? 0) + 60))}`);
    must(PLAIN.test(content), `${path}: a character that steers a terminal or ends a line got in`);
  }
}

const RECIPE_SPEC = { ...GOOD_SPEC, enablers: ALL_ENABLERS };

const containers = target('recipes of containers', 1, hostile([RECIPE_SPEC]), (input) => {
  const parsed = parseAnySpec(input);
  if (!parsed.ok) return areFitToRead(parsed.problems);
  areHarmless(compose(parsed.value));
  areHarmless(swarm(parsed.value));
});

const machines = target(
  'recipes of machines',
  1,
  fc.tuple(hostile([GOOD_SPEC]), hostile([SLIDES_ADDRESSES]), fc.constantFrom('keepalived' as const, 'pacemaker' as const), fc.boolean()),
  ([input, addressesInput, manager, asInTheSlides]) => {
    const parsed = parseAnySpec(input);
    if (!parsed.ok) return areFitToRead(parsed.problems);
    const addresses = parseAddresses(addressesInput, parsed.value);
    if (!addresses.ok) return must(addresses.problems.length > 0, 'refused without a reason');
    areHarmless(baremetal(parsed.value, { manager, asInTheSlides, mongoSeries: '7.0' }, addresses.value));
  },
);

/** A healthy member that takes whatever it is asked. */
function aDb(): ScriptedDb {
  const ok = { ok: 1 };
  return new ScriptedDb({
    replSetGetConfig: config(aConfig()),
    replSetGetStatus: ALL_WELL,
    hello: { ok: 1, isWritablePrimary: true, setName: 'orion_rs', me: A, maxWireVersion: 21 },
    replSetReconfig: ok,
    replSetInitiate: ok,
    replSetStepDown: ok,
    setDefaultRWConcern: ok,
    getDefaultRWConcern: { ok: 1, defaultWriteConcern: { w: 'majority', wtimeout: 0 } },
    listDatabases: { ok: 1, databases: [] },
  });
}

const STEPS = [
  { action: 'initiate', replicaSet: 'orion_rs', members: [A, B, C] },
  { action: 'reconfig', replicaSet: 'orion_rs', change: { change: 'add', host: '10.0.0.4:27017', memberId: 3 }, expect: EXPECT },
  { action: 'reconfig', replicaSet: 'orion_rs', change: { change: 'remove', host: B }, expect: EXPECT },
  { action: 'reconfig', replicaSet: 'orion_rs', change: { change: 'raise-vote', host: C }, expect: EXPECT },
  { action: 'step-down', replicaSet: 'orion_rs', expect: EXPECT },
  { action: 'set-write-concern', replicaSet: 'orion_rs', writeConcern: 'majority' },
];

interface Member {
  _id: unknown;
  host: unknown;
  votes: number;
}

/** Ids whose vote a reconfig gives or takes. */
function changedVotes({ replSetReconfig }: Command): number {
  const voters = (members: readonly Member[]) => members.filter(({ votes }) => votes !== 0).map(({ _id }) => _id);
  const [before, after] = [voters(aConfig().members), voters((replSetReconfig as { members: Member[] }).members)];
  return [...before.filter((id) => !after.includes(id)), ...after.filter((id) => !before.includes(id))].length;
}

function isAnAnswer(answer: Record<string, unknown>): void {
  const line = JSON.stringify(answer);
  must(typeof answer.ok === 'boolean', `an answer without ok: ${line}`);
  must(!line.includes('\n'), 'an answer of several lines');
  if (!answer.ok) must(['stale', 'retry', 'refused', 'failed'].includes(String(answer.outcome)), `no outcome: ${line}`);
}

const steps = target('steps on the replica set', 2, hostile(STEPS), (payload) => {
  const db = aDb();
  isAnAnswer(runStep(db, payload.action, payload));
  for (const command of db.sent('replSetReconfig')) {
    must(command.force === undefined || command.force === false, 'a step forced a configuration');
    must(changedVotes(command) <= 1, 'a step changed more than one vote');
  }
  must(db.sent('replSetReconfig').length <= 1, 'a step reconfigured twice');
});

const repairs = target(
  'repair of a majority',
  1,
  hostile([{ replicaSet: 'orion_rs', survivors: [A], expect: { setVersion: 5 }, notAfterMs: 2_000_000_000_000 }]),
  (payload) => {
    const db = aDb();
    isAnAnswer(runRepair(db, payload));
    must(db.sent('replSetReconfig').length === 0, 'it was forced although a majority lives');
  },
);

export const RENDERED_TARGETS: readonly Target[] = [containers, machines, steps, repairs];
