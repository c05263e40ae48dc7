/** User data of the instances. */
import type { Role } from '../lambdas/core/names';

/** First boot of a node of a role. */
export function userData(role: Role): string {
  return `#!/bin/bash\necho ${role}\n`;
}
