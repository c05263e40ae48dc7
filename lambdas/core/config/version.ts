/** The version of a node's configuration: the same values and templates give the same version everywhere. */
import { shortHash } from '../hash';
import type { NodeConfig } from '../jobs';

/** Version of a configuration, 14 hex digits. Lists inside must be sorted by the caller. */
export function configVersion(config: NodeConfig): string {
  return shortHash(JSON.stringify(config));
}
