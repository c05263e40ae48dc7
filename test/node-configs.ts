/** Configurations of nodes as the tests send and render them. */

import { enablerEntry } from '../lambdas/core/catalogue/enablers';
import { orionSettings } from '../lambdas/core/config/orion-sizing';
import type { EnablerRole } from '../lambdas/core/names';
import type { EnablerConfig, NodeConfig } from '../lambdas/core/node-config';

/** A broker's, of a set with one member. */
export const ORION: Extract<NodeConfig, { role: 'orion' }> = {
  role: 'orion',
  version: '4.1.0',
  replicaSet: 'orion_rs',
  seeds: ['10.0.3.11:27017'],
  writeConcern: 'majority',
  readPreference: 'primary',
  settings: orionSettings('t3.medium'),
};

/** A member's. */
export const MONGO: Extract<NodeConfig, { role: 'mongo' }> = { role: 'mongo', replicaSet: 'orion_rs' };

/** A role of the catalogue's, of the same set; `role` and `options` are the test's business. */
export function anEnabler(role: EnablerRole, change: Partial<EnablerConfig> = {}): EnablerConfig {
  const { north } = enablerEntry(role).ports;
  return {
    role,
    version: enablerEntry(role).usualVersion,
    index: 1,
    replicaSet: 'orion_rs',
    seeds: ORION.seeds,
    writeConcern: 'majority',
    readPreference: 'primary',
    broker: { host: '203.0.113.1', port: 1026 },
    offered: { host: '203.0.113.1', port: north },
    options: {},
    ...change,
  };
}

/** One with a file beside its environment and a folder that it keeps. */
export const CYGNUS = anEnabler('cygnus', { options: { channel: 'file' } });
