/** The version of a node's configuration: the same values and templates give the same version everywhere. */
import { shortHash } from '../hash';
import type { Role } from '../names';
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

/** Any values: only the text around them matters, so each template stands here once. */
const SAMPLES: Record<Role, NodeConfig[]> = {
  lb: (['http', 'tcp'] as const).map((protocol) => ({ ...LB, brokers: [...LB.brokers], peers: [...LB.peers], protocol })),
  orion: [
    {
      role: 'orion',
      version: '4.1.0',
      replicaSet: 'rs',
      seeds: ['10.0.0.4:27017'],
      writeConcern: 'majority',
      readPreference: 'primary',
      settings: orionSettings('t3.medium'),
    },
  ],
  mongo: [{ role: 'mongo', replicaSet: 'rs' }],
};

/** 32 bits of the rendered samples: a seed for the hash of the values. */
function fingerprint(role: Role): number {
  return Number.parseInt(shortHash(JSON.stringify(SAMPLES[role].map((sample) => renderConfig(sample, '')))).slice(-8), 16);
}

/** Changes with the templates, so that a new release of them is rolled out like any new value. */
const TEMPLATES: Record<Role, number> = { lb: fingerprint('lb'), orion: fingerprint('orion'), mongo: fingerprint('mongo') };

/** The templates of a role in this release, as a number. */
export function configTemplates(role: Role): number {
  return TEMPLATES[role];
}

/** Version of a configuration, 14 hex digits. Lists inside must be sorted by the caller. */
export function configVersion(config: NodeConfig): string {
  return shortHash(JSON.stringify(config), TEMPLATES[config.role]);
}
