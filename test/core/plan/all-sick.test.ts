import { describe, expect, it } from '@jest/globals';
import type { NodeProbe, Outcome } from '../../../lambdas/core/facts';
import type { NodeHealth } from '../../../lambdas/core/memory';
import type { Node } from '../../../lambdas/core/observation';
import { allSick } from '../../../lambdas/core/plan/all-sick';
import {
  aHealth,
  aHealthyWorld,
  aNode,
  change,
  dead,
  inStep,
  look,
  memberHosts,
  NOW_MS,
  planOf,
  setOf,
  type World,
  withNodes,
} from '../../builders';

const SLOTS = ['ctx1', 'ctx2', 'ctx3'];
const base = aHealthyWorld({ orion: { count: 3 } });
const all = (edit: (node: Node) => Node, slots = SLOTS): World => slots.reduce((w, slot) => change(w, slot, edit), base);
const sick = (health: NodeHealth) => (node: Node) => ({ ...node, health });
const brokerJobs = (world: World) =>
  planOf(world).jobs.flatMap((job) => ('role' in job && job.role === 'orion' ? [`${job.kind} ${job.slot}`] : []));
const tried = (world: World, ...ids: string[]): World => {
  const attempts = Object.fromEntries(ids.map((id) => [`restart/${id}`, { count: 1, failures: 0, lastAtMs: NOW_MS - 120_000 }]));
  return { ...world, memory: { ...world.memory, attempts } };
};
/** Dead by silence: it takes connections and answers none. */
const silent = (node: Node): Node => {
  const process: Outcome = { is: 'failed', detail: 'no answer in time', accepts: true };
  const probe: NodeProbe = { role: 'orion', atMs: NOW_MS, process, database: process };
  return { ...dead(node), probe };
};

describe('all brokers at once', () => {
  it('without the database: none is restarted or replaced', () => {
    const world = setOf(all(sick(aHealth('healthy', 'database'))), { voters: memberHosts(base), primary: null });
    expect(brokerJobs(world)).toEqual([]);
    expect(allSick(look(world).slots, 'orion')).toBe('ctx1: database, ctx2: database, ctx3: database');
  });

  it('too slow: none is restarted or replaced', () => {
    expect(brokerJobs(all(sick(aHealth('healthy', 'overload'))))).toEqual([]);
    expect(allSick(look(all(sick(aHealth('healthy', 'overload')))).slots, 'orion')).toContain('overload');
  });

  it('silent for long: none is restarted or replaced, and it says why', () => {
    const world = all(silent);
    expect(brokerJobs(world)).toEqual([]);
    expect(planOf(world).blocked.join()).toContain('all orion nodes are sick at once');
    expect(brokerJobs(tried(world, 'i-2011', 'i-2021', 'i-2031'))).toEqual([]);
  });

  it('dead: restarted one at a time, each once, and then one is replaced as a trial', () => {
    const world = all((node) => dead(node));
    expect(brokerJobs(world)).toEqual(['restartRole ctx1']);
    expect(brokerJobs(tried(world, 'i-2011'))).toContain('restartRole ctx2');
    expect(brokerJobs(tried(world, 'i-2011', 'i-2021', 'i-2031'))).toEqual(['launchNode ctx1']);
  });

  it('dead, and the trial never came up: nothing more is launched, until its configuration would be another', () => {
    const dying = all((node) => dead(node));
    const trial = dead(aNode('ctx1', { fact: { incarnation: 2 } }), 'boot');
    const world = tried(inStep(withNodes(dying, [trial, ...dying.nodes])), 'i-2011', 'i-2021', 'i-2031');
    expect(brokerJobs(world)).toEqual(['terminateNode ctx1']);
    expect(planOf(world).blocked.join()).toContain('its predecessor was replaced already');
    const told = change(world, 'ctx1', (node) => (node.fact.incarnation === 2 ? { ...node, configVersion: 'old' } : node));
    expect(brokerJobs(told)).toContain('launchNode ctx1');
  });
});

describe('a silent broker', () => {
  it('is restarted when another is well, and when there is no other', () => {
    expect(brokerJobs(all(silent, ['ctx2']))).toEqual(['restartRole ctx2']);
    const single = change(aHealthyWorld({ orion: { count: 1 } }), 'ctx1', silent);
    expect(brokerJobs(single)).toEqual(['restartRole ctx1']);
  });

  it('among dead ones waits for them: they are restarted, which takes the load off it', () => {
    const world = change(
      all((node) => dead(node), ['ctx1', 'ctx2']),
      'ctx3',
      silent,
    );
    expect(brokerJobs(world)).toEqual(['restartRole ctx1']);
    expect(brokerJobs(tried(world, 'i-2011', 'i-2021'))).toEqual(['launchNode ctx1']);
  });
});

describe('allSick', () => {
  it('is no word for brokers that boot, nor while one is well', () => {
    expect(allSick(look(all(sick({ ...aHealth('unknown'), everHealthy: false }))).slots, 'orion')).toBeUndefined();
    expect(allSick(look(all((node) => dead(node), ['ctx1', 'ctx2'])).slots, 'orion')).toBeUndefined();
  });
});
