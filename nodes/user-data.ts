/** User data: the node scripts packed into one cloud-config, installed at first boot. Holds no cluster's values and nothing secret. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { isEnabler, type Role } from '../lambdas/core/names';

const SCRIPTS = ['common.sh', 'decode_payload.py', 'apply-config', 'role-process', 'run-role', 'restart-role'];
const SCRIPTS_OF = {
  lb: ['role-lb.sh', 'check-haproxy', 'config-version.lua', 'let_go_servers.py', 'notify-entry', 'reload-keepalived'],
  orion: ['role-orion.sh', 'report-config', 'broker_connections.py'],
  mongo: ['role-mongo.sh', 'report-config', 'replica-set', 'repair-majority'],
  /** Any role of the catalogue. */
  service: ['role-service.sh', 'report-config', 'broker_connections.py'],
};

/** The scripts that nodes of a role have beside those of all. */
function scriptsOf(role: Role): string[] {
  return SCRIPTS_OF[isEnabler(role) ? 'service' : role];
}

/** EC2 takes this much user data before it is encoded. */
export const USER_DATA_MAX_BYTES = 16_384;

const HOME = '/opt/fiware-ha';
const END = 'END_OF_FIWARE_HA_FILE';

/** A script for mongosh without comments and indentation: a fifth of what a member's user data would hold. */
function withoutComments(script: string): string {
  return script.replace(/^[ \t]*(\/\*\*[\s\S]*?\*\/|\/\/.*)\n/gm, '').replace(/ \/\/ .*$|^ +/gm, '');
}

/** A shell or Python script without lines that are comments alone; what stands in a here-document or a docstring is its text. */
function withoutCommentLines(script: string): string {
  let end: string | undefined;
  const kept = script.split('\n').filter((line, i) => {
    if (end !== undefined) {
      if (end === '"""' ? line.includes(end) : line === end) end = undefined;
      return true;
    }
    if (i > 0 && /^\s*#/.test(line)) return false;
    const opened = /(?<!<)<<'?([A-Z]+)'?(?!<)/.exec(line)?.[1] ?? /^\s*("{3})(?!.*"{3})/.exec(line)?.[1];
    if (opened) end = opened;
    return true;
  });
  return kept.join('\n');
}

/** Shell commands that write one of the files beside this one. @throws where the file holds the mark that ends it */
function writing(file: string): string {
  const text = readFileSync(join(__dirname, file), 'utf8');
  if (text.includes(END)) throw new Error(`nodes/${file}: contains ${END}, which marks its end in user data; name it differently`);
  return `cat >${HOME}/${file} <<'${END}'\n${file.endsWith('.js') ? withoutComments(text) : file.endsWith('.lua') ? text : withoutCommentLines(text)}${END}\n`;
}

/** One script that writes them all: packed together they take half of what they take one by one. */
function unpackScript(role: Role): string {
  const scripts = [...SCRIPTS, ...scriptsOf(role)].map((name) => `bin/${name}`);
  const files = ['install.sh', ...scripts, ...(role === 'mongo' ? ['mongo/replica-set.js', 'mongo/repair-majority.js'] : [])];
  return [
    '# Writes the node scripts; run by user data.\n',
    `mkdir -p ${HOME}/bin ${HOME}/mongo\n`,
    ...files.map(writing),
    `chmod 0755 ${HOME}/install.sh ${HOME}/bin/*\n`,
  ].join('');
}

/** First boot of a node of a role, as cloud-config (JSON is YAML). @throws where it outgrows what EC2 takes */
export function userData(role: Role): string {
  const content = gzipSync(unpackScript(role), { level: 9 }).toString('base64');
  const config = {
    write_files: [{ path: `${HOME}/unpack.sh`, permissions: '0755', encoding: 'gz+b64', content }],
    runcmd: [`bash -e ${HOME}/unpack.sh && ${HOME}/install.sh ${role}`],
  };
  const text = `#cloud-config\n${JSON.stringify(config, null, 1)}\n`;
  if (Buffer.byteLength(text) > USER_DATA_MAX_BYTES)
    throw new Error(`user data of ${role}: ${Buffer.byteLength(text)} bytes, EC2 takes ${USER_DATA_MAX_BYTES}; shorten the node scripts`);
  return text;
}
