/** Specs, addresses and rendered recipes that the tests of recipes look at. Builds values; asserts nothing. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ClusterSpec, parseAnySpec, type SpecInput } from '../../lambdas/core/spec';
import { type Addresses, parseAddresses } from '../../recipes/addresses';
import { type BaremetalChoices, renderBaremetal } from '../../recipes/baremetal';
import { renderCompose } from '../../recipes/compose';
import type { RecipeFile } from '../../recipes/recipe';
import { renderSwarm } from '../../recipes/swarm';
import { PROJECT } from '../source-tree';

export const REPLICA_SET_SCRIPT = readFileSync(join(PROJECT, 'nodes/mongo/replica-set.js'), 'utf8');

export function aRecipeSpec(input: Partial<SpecInput> = {}): ClusterSpec {
  const parsed = parseAnySpec({ name: 'city', ...input });
  if (!parsed.ok) throw new Error(parsed.problems.join('; '));
  return parsed.value;
}

/** Every role of the catalogue that lives on the usual MongoDB. */
export const ALL_ENABLERS: SpecInput['enablers'] = {
  'sth-comet': {},
  'iotagent-json': { count: 3, options: { mqtt: { host: 'mqtt' } } },
  'iotagent-ul': { ports: { south: 7897 } },
  cygnus: { options: { channel: 'file' } },
};

/** The machines of the slides. */
export const SLIDES_ADDRESSES = {
  virtual: '192.168.0.99',
  nodes: {
    lb1: '192.168.0.100',
    lb2: '192.168.0.101',
    ctx1: '192.168.0.102',
    ctx2: '192.168.0.103',
    mdb1: '192.168.0.104',
    mdb2: '192.168.0.105',
    mdb3: '192.168.0.106',
  },
};

export function theAddresses(spec: ClusterSpec, input: unknown = SLIDES_ADDRESSES): Addresses {
  const parsed = parseAddresses(input, spec);
  if (!parsed.ok) throw new Error(parsed.problems.join('; '));
  return parsed.value;
}

export function baremetal(spec: ClusterSpec, change: Partial<BaremetalChoices> = {}, addresses = theAddresses(spec)): RecipeFile[] {
  return renderBaremetal(spec, addresses, {
    mongoSeries: '7.0',
    manager: 'keepalived',
    asInTheSlides: false,
    replicaSetScript: REPLICA_SET_SCRIPT,
    ...change,
  });
}

export function compose(spec: ClusterSpec): RecipeFile[] {
  return renderCompose(spec, { mongoSeries: '7.0', network: '172.30', replicaSetScript: REPLICA_SET_SCRIPT });
}

export function swarm(spec: ClusterSpec, virtual: string | undefined = '192.168.0.99/24'): RecipeFile[] {
  return renderSwarm(spec, { mongoSeries: '7.0', virtual, replicaSetScript: REPLICA_SET_SCRIPT });
}

/** The recipes as the slides' cluster has them, by the name of their golden folder. */
export const RECIPES: Record<string, () => RecipeFile[]> = {
  slides: () => baremetal(aRecipeSpec({ orion: { version: '3.6.0' } }), { asInTheSlides: true, mongoSeries: '4.4' }),
  baremetal: () => baremetal(aRecipeSpec()),
  pacemaker: () => baremetal(aRecipeSpec(), { manager: 'pacemaker' }),
  compose: () => compose(aRecipeSpec({ enablers: ALL_ENABLERS })),
  swarm: () => swarm(aRecipeSpec({ enablers: ALL_ENABLERS })),
};

/** Text of a rendered file. @throws where there is none */
export function contentOf(files: readonly RecipeFile[], path: string): string {
  const found = files.find((file) => file.path === path);
  if (!found) throw new Error(`${path} is not rendered; rendered: ${files.map((file) => file.path).join(', ')}`);
  return found.content;
}
