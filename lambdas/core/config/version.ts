/** The version of a node's configuration: the same values and templates give the same version everywhere. */
import { shortHash } from '../hash';
import type { NodeConfig } from '../jobs';
import type { Role } from '../names';
import { renderConfig } from './render';

/** Any values: only the text around them matters. */
const SAMPLES: Record<Role, NodeConfig> = {
  lb: { role: 'lb', port: 1026, brokers: [{ slot: 'ctx1', ip: '10.0.0.1' }], ip: '10.0.0.2', peers: ['10.0.0.3'], virtualRouterId: 51 },
  orion: { role: 'orion', version: '4.1.0', replicaSet: 'rs', seeds: ['10.0.0.4:27017'] },
  mongo: { role: 'mongo', replicaSet: 'rs' },
};

function fingerprint(role: Role): string {
  return shortHash(JSON.stringify(renderConfig(SAMPLES[role], '')));
}

/** Changes with the templates, so that a new release of them is rolled out like any new value. */
const TEMPLATES: Record<Role, string> = { lb: fingerprint('lb'), orion: fingerprint('orion'), mongo: fingerprint('mongo') };

/** Version of a configuration, 14 hex digits. Lists inside must be sorted by the caller. */
export function configVersion(config: NodeConfig): string {
  return shortHash(TEMPLATES[config.role] + JSON.stringify(config));
}
