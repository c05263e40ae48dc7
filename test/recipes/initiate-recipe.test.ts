import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { renderInitiate } from '../../recipes/mongo';
import { describeWith, type Ran, run } from '../nodes/tools';
import { aRecipeSpec } from './specs';

const MEMBERS = ['mdb1:27017', 'mdb2:27017', 'mdb3:27017'];

/** In the place of mongosh: members are folders; what is asked of them is answered from files, steps are written down. */
const SHELL = `#!/bin/bash
for word; do case $word in mongodb://*) host=\${word#mongodb://} host=\${host%%/*} ;; esac; done
[ -d "$WORLD/$host" ] || exit 1
case "$*" in
  *--file*)
    payload=$(base64 -d <<<"$FIWARE_HA_PAYLOAD")
    echo "$host $payload" >>"$WORLD/steps"
    if [ -f "$WORLD/refusal" ]; then cat "$WORLD/refusal"; exit 0; fi
    case $payload in
      *initiate*) for member in "$WORLD"/mdb*; do echo orion_rs >"$member/set"; done; touch "$WORLD/mdb2:27017/leads" ;;
    esac
    echo '{"ok":true,"did":"done"}' ;;
  *setName*) cat "$WORLD/$host/set" ;;
  *isWritablePrimary*) if [ -f "$WORLD/$host/leads" ]; then echo true; else echo false; fi ;;
esac
`;

describeWith(['bash', 'base64'], 'the script that begins a replica set', () => {
  let world: string;
  beforeEach(() => {
    world = mkdtempSync(join(tmpdir(), 'fiware-ha-initiate-'));
    mkdirSync(join(world, 'bin'));
    writeFileSync(join(world, 'bin/mongosh'), SHELL, { mode: 0o755 });
    writeFileSync(join(world, 'initiate'), renderInitiate(aRecipeSpec(), MEMBERS), { mode: 0o755 });
    for (const member of MEMBERS) answersAs(member, 'none');
  });
  afterEach(() => rmSync(world, { recursive: true, force: true }));

  function answersAs(member: string, set: string, leads = false): void {
    mkdirSync(join(world, member), { recursive: true });
    writeFileSync(join(world, member, 'set'), `${set}\n`);
    if (leads) writeFileSync(join(world, member, 'leads'), '');
  }
  function begin(): Ran {
    return run('bash', [join(world, 'initiate')], { PATH: `${join(world, 'bin')}:${process.env.PATH}`, WORLD: world, TRIES: '0' });
  }
  function steps(): string[] {
    return existsSync(join(world, 'steps')) ? readFileSync(join(world, 'steps'), 'utf8').trim().split('\n') : [];
  }

  const CONCERN = '{"action":"set-write-concern","replicaSet":"orion_rs","writeConcern":"majority"}';

  it('begins it with all members at once, then tells the primary the default write concern', () => {
    expect(begin()).toMatchObject({ code: 0, stderr: '' });
    expect(steps()).toEqual([
      'mdb1:27017 {"action":"initiate","replicaSet":"orion_rs","members":["mdb1:27017","mdb2:27017","mdb3:27017"]}',
      `mdb2:27017 ${CONCERN}`,
    ]);
  });

  it('begins nothing a second time', () => {
    begin();
    rmSync(join(world, 'steps'));
    expect(begin().code).toBe(0);
    expect(steps()).toEqual([`mdb2:27017 ${CONCERN}`]);
  });

  it('begins nothing when a member that lost its data meets a set that lives', () => {
    answersAs('mdb2:27017', 'orion_rs', true);
    answersAs('mdb3:27017', 'orion_rs');
    expect(begin()).toMatchObject({ code: 0, stdout: expect.stringContaining('not begun a second time') });
    expect(steps()).toEqual([`mdb2:27017 ${CONCERN}`]);
  });

  it('stops at a member of another set, and leaves it to a person', () => {
    answersAs('mdb3:27017', 'other_rs');
    expect(begin()).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('mdb3:27017 belongs to the set other_rs: nothing was begun or wiped'),
    });
    expect(steps()).toEqual([]);
  });

  it('begins nothing while a member is silent', () => {
    rmSync(join(world, 'mdb2:27017'), { recursive: true });
    expect(begin()).toMatchObject({ code: 1, stderr: expect.stringContaining('mdb2:27017 does not answer: nothing was begun') });
    expect(steps()).toEqual([]);
  });

  it('stops where the guards refuse', () => {
    writeFileSync(join(world, 'refusal'), '{"ok":false,"outcome":"refused","error":"CannotInitializeNodeWithData (110): has data"}\n');
    expect(begin()).toMatchObject({ code: 1, stderr: expect.stringContaining('CannotInitializeNodeWithData') });
    expect(steps()).toHaveLength(1);
  });
});
