/** The version of a node's configuration: the same values and templates give the same version everywhere. */

import { ENABLERS, enablerEntry } from '../catalogue/enablers';
import { shortHash } from '../hash';
import { byRole, type Role } from '../names';
import type { NodeConfig } from '../node-config';
import { orionSettings } from './orion-sizing';
import { renderConfig } from './render';

const LB = {
  role: 'lb',
  port: 1026,
  brokers: [{ slot: 'ctx1', ip: '10.0.0.1' }],
  ip: '10.0.0.2',
  peers: ['10.0.0.3'],
  virtualRouterId: 51,
  advertIntervalS: 0.3,
  claims: { cluster: 'city', queueUrl: 'https://queue/claims' },
} as const;

/** Every role that balancers may offer: a check of any of them is part of their template. */
const SERVICES = ENABLERS.map(({ name, ports }) => ({
  role: name,
  ports,
  servers: [1, 2].map((i) => ({ slot: `xy${i}`, ip: `10.0.1.${i}` })),
}));

/** Any values: only the text around them matters, so each template stands here once. */
function samplesOf(role: Role): NodeConfig[] {
  const database = { replicaSet: 'rs', seeds: ['10.0.0.4:27017'], writeConcern: 'majority', readPreference: 'primary' } as const;
  if (role === 'lb')
    return (['http', 'tcp'] as const).map((protocol) => ({
      ...LB,
      brokers: [...LB.brokers],
      peers: [...LB.peers],
      services: SERVICES,
      protocol,
    }));
  if (role === 'mongo') return [{ role, replicaSet: 'rs' }];
  if (role === 'orion') return [{ role, version: '4.1.0', ...database, seeds: [...database.seeds], settings: orionSettings('t3.medium') }];
  const at = { host: '10.0.0.5', port: 1026 };
  const choices = [{}, { channel: 'file' as const, mqtt: { host: 'mqtt', port: 1883, shared: true } }];
  return choices.map((options) => ({
    role,
    version: enablerEntry(role).usualVersion,
    index: 1,
    ...database,
    seeds: [...database.seeds],
    broker: at,
    offered: at,
    options,
  }));
}

/** 32 bits of the rendered samples: a seed for the hash of the values. */
function fingerprint(role: Role): number {
  return Number.parseInt(shortHash(JSON.stringify(samplesOf(role).map((sample) => renderConfig(sample, '')))).slice(-8), 16);
}

/** Changes with the templates, so that a new release of them is rolled out like any new value. */
const TEMPLATES: Record<Role, number> = byRole(fingerprint);

/** The templates of a role in this release, as a number. */
export function configTemplates(role: Role): number {
  return TEMPLATES[role];
}

/** Version of a configuration, 14 hex digits. Lists inside must be sorted by the caller. */
export function configVersion(config: NodeConfig): string {
  return shortHash(JSON.stringify(config), TEMPLATES[config.role]);
}
