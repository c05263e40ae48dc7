/** User data: the node scripts packed into one cloud-config, installed at first boot. Holds no cluster's values and nothing secret. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Role } from '../lambdas/core/names';

const SCRIPTS = ['common.sh', 'decode_payload.py', 'apply-config', 'role-process', 'run-role', 'restart-role'];
const SCRIPTS_OF: Record<Role, string[]> = { lb: ['check-haproxy', 'notify-entry'], orion: [], mongo: ['replica-set'] };

/** EC2 takes this much user data before it is encoded. */
export const USER_DATA_MAX_BYTES = 16_384;

function packed(file: string, permissions: string) {
  const content = gzipSync(readFileSync(join(__dirname, file)), { level: 9 }).toString('base64');
  return { path: `/opt/fiware-ha/${file}`, permissions, encoding: 'gz+b64', content };
}

/** First boot of a node of a role, as cloud-config (JSON is YAML). @throws where it outgrows what EC2 takes */
export function userData(role: Role): string {
  const scripts = [...SCRIPTS, ...SCRIPTS_OF[role]].map((name) => packed(`bin/${name}`, '0755'));
  const mongo = role === 'mongo' ? [packed('mongo/replica-set.js', '0644')] : [];
  const config = {
    write_files: [packed('install.sh', '0755'), ...scripts, ...mongo],
    runcmd: [['/opt/fiware-ha/install.sh', role]],
  };
  const text = `#cloud-config\n${JSON.stringify(config, null, 1)}\n`;
  if (Buffer.byteLength(text) > USER_DATA_MAX_BYTES)
    throw new Error(`user data of ${role}: ${Buffer.byteLength(text)} bytes, EC2 takes ${USER_DATA_MAX_BYTES}; shorten the node scripts`);
  return text;
}
