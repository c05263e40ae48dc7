/** Configurations of nodes as the tests send and render them. */
import { orionSettings } from '../lambdas/core/config/orion-sizing';
import type { NodeConfig } from '../lambdas/core/node-config';

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
