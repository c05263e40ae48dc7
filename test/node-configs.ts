/** Configurations of nodes as the tests send and render them. */
import { orionSettings } from '../lambdas/core/config/orion-sizing';
import type { NodeConfig, ServiceConfig } from '../lambdas/core/node-config';

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

/** Of a role of the catalogue, with a file beside its environment and a folder that it keeps. */
export const CYGNUS: ServiceConfig = {
  role: 'cygnus',
  version: '3.17.0',
  index: 1,
  replicaSet: 'orion_rs',
  seeds: ['10.0.3.11:27017'],
  writeConcern: 'majority',
  readPreference: 'primary',
  broker: { host: '203.0.113.10', port: 1026 },
  offered: { host: '203.0.113.10', port: 5051 },
  options: { channel: 'file' },
};
