import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { App, Stack } from 'aws-cdk-lib';
import fc from 'fast-check';
import { CommandDocuments } from '../../lib/command-documents';
import { NODES, run } from '../nodes/tools';
import { deep, hostile, hostileJson, hostileText } from './hostile';

const dir = mkdtempSync(join(tmpdir(), 'fiware-ha-abuse-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const base64 = (text: string) => Buffer.from(text, 'utf8').toString('base64');
/** What an argument or a variable of a process can hold at all: no NUL, no half character. */
const passable = (text: string) => text.replaceAll('\0', '').replace(/\p{Cs}/gu, '?');
const sample = <T>(arbitrary: fc.Arbitrary<T>, count: number) => fc.sample(arbitrary, { numRuns: count, seed: 20_261_126 });

/** Runs decode_payload.py as the node does, once for each line; an exception that is not put in words is a crash. */
const DRIVER = `
import contextlib, io, json, os, sys, tempfile
sys.path.insert(0, sys.argv[1])
import decode_payload
for line in open(sys.argv[2], encoding="utf-8"):
    role, payload = json.loads(line)
    os.environ["PAYLOAD"] = payload
    out, err = io.StringIO(), io.StringIO()
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        sys.argv[1:] = [role, folder] + sys.argv[3:]
        try:
            code = decode_payload.main()
        except BaseException as error:
            code = repr(error)
        written = {name: open(os.path.join(folder, name), encoding="utf-8", newline="").read() for name in sorted(os.listdir(folder))}
    print(json.dumps([code, out.getvalue(), err.getvalue(), written]))
`;

type Decoded = [code: number | string, out: string, err: string, written: Record<string, string>];

function decodeOnNode(inputs: [role: string, payload: string][]): Decoded[] {
  const file = join(dir, 'payloads');
  writeFileSync(file, inputs.map((input) => `${JSON.stringify(input)}\n`).join(''));
  const { code, stdout, stderr } = run('python3', ['-c', DRIVER, join(NODES, 'bin'), file]);
  if (code !== 0) throw new Error(stderr);
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Decoded);
}

const GOOD_PAYLOADS = {
  lb: {
    role: 'lb',
    version: 'abcd1234',
    files: [
      { name: 'haproxy.cfg', content: 'global\n' },
      { name: 'keepalived.conf', content: 'x\n' },
    ],
  },
  orion: { role: 'orion', version: 'abcd1234', files: [{ name: 'orion.env', content: 'A=b\n' }] },
  cygnus: {
    role: 'cygnus',
    version: 'abcd1234',
    files: [
      { name: 'service.conf', content: '' },
      { name: 'service.env', content: 'A=b\n' },
    ],
  },
};

describe('a payload on a node', () => {
  it('is written as it is or refused in words with nothing written: never a crash, never half', () => {
    const payloads = Object.entries(GOOD_PAYLOADS).flatMap(([role, good]) => [
      ...sample(hostileJson([good]), 500).map((text): [string, string] => [role, base64(text.slice(0, 60_000))]),
      ...sample(hostileText, 100).map((text): [string, string] => [role, passable(text)]),
    ]);
    const decoded = decodeOnNode(payloads);
    expect(decoded).toHaveLength(payloads.length);
    const taken = decoded.filter(([code]) => code === 0);
    expect(taken.length).toBeGreaterThan(20);
    decoded.forEach(([code, out, err, written], i) => {
      if (code === 0) {
        const { version, files } = JSON.parse(Buffer.from(payloads[i]?.[1] ?? '', 'base64').toString('utf8'));
        expect([out, written]).toEqual([
          `${version}\n`,
          Object.fromEntries(files.map((f: { name: string; content: string }) => [f.name, f.content])),
        ]);
      } else expect({ code, written, said: err.startsWith('payload') }).toEqual({ code: 65, written: {}, said: true });
    });
  });

  it.each([
    [
      'with a file that is no object',
      { ...GOOD_PAYLOADS.orion, files: [...GOOD_PAYLOADS.orion.files, 5] },
      'payload.files: expected exactly orion.env',
    ],
    [
      'with half a character',
      { ...GOOD_PAYLOADS.orion, files: [{ name: 'orion.env', content: '\ud800' }] },
      'payload.files orion.env: expected text',
    ],
  ])('%s is refused in words', (_what, payload, words) => {
    expect(decodeOnNode([['orion', base64(JSON.stringify(payload))]])).toEqual([[65, '', expect.stringContaining(words), {}]]);
  });

  it('nested ten thousand deep is refused in words', () => {
    expect(decodeOnNode([['orion', base64(deep(10_000))]])).toEqual([[65, '', expect.stringContaining('payload'), {}]]);
  });
});

describe('the words of a failure', () => {
  it('are one line of JSON with these words, whatever they are', () => {
    const words = sample(hostileText, 150).map((text) => passable(text));
    const file = join(dir, 'words');
    writeFileSync(file, words.map((text) => `${text}\0`).join(''));
    const script = `. ${join(NODES, 'bin', 'common.sh')}; while IFS= read -r -d '' w; do (fail 65 "$w") || true; done <${file}`;
    const { stdout } = run('bash', ['-c', script]);
    const lines = stdout.trimEnd().split('\n');
    expect(lines).toHaveLength(words.length);
    lines.forEach((line, i) => {
      const said = JSON.parse(line) as { ok: boolean; error: string };
      const plain = (text = '') => text.replace(/\p{Cc}/gu, ' ');
      expect([said.ok, plain(said.error)]).toEqual([false, plain(words[i])]);
    });
  });
});

describe('a command on a node', () => {
  const root = join(dir, 'node');
  const bin = join(dir, 'mongosh-bin');

  beforeAll(() => {
    run('mkdir', ['-p', join(root, 'var/lib/fiware-ha'), bin]);
    writeFileSync(join(root, 'var/lib/fiware-ha/config-version'), 'abcd1234');
    writeFileSync(join(bin, 'mongosh'), '#!/bin/bash\nprintf "%s|" "$FIWARE_HA_PAYLOAD"\n', { mode: 0o755 });
  });

  const command = (role: string, name: string, payload: string) => {
    writeFileSync(join(root, 'var/lib/fiware-ha/role'), role);
    return run(join(NODES, 'bin', name), [payload], { FIWARE_HA_ROOT: root, PATH: `${bin}:${process.env.PATH}` });
  };
  const refusedInWords = ({ code, stdout }: ReturnType<typeof command>) => {
    expect([65, 75]).toContain(code);
    expect(stdout.trimEnd().split('\n')).toHaveLength(1);
    expect(JSON.parse(stdout)).toMatchObject({ ok: false, error: expect.stringContaining('payload') });
  };

  it('restarts nothing for a payload that is not its own, whatever it is', () => {
    const payloads = [
      ...sample(hostileText, 8).map(passable),
      ...sample(hostileJson([{ role: 'lb' }]), 12).map((text) => base64(text.slice(0, 60_000))),
      ...sample(hostileText, 12).map((role) => base64(JSON.stringify({ role }))),
    ];
    for (const payload of payloads) refusedInWords(command('orion', 'restart-role', payload));
  });

  it.each(['replica-set', 'repair-majority'])('%s hands base64 to mongosh as it came, and refuses all else', (name) => {
    for (const text of sample(hostileText, 40).map(passable)) {
      const isBase64 = /^[A-Za-z0-9+/]+={0,2}$/.test(text);
      const ran = command('mongo', name, text);
      if (isBase64) expect(ran.stdout).toBe(`${text}|\n`);
      else refusedInWords(ran);
    }
    const payload = base64(JSON.stringify({ action: '$(reboot)' }));
    expect(command('mongo', name, payload)).toMatchObject({ code: 0, stdout: `${payload}|\n` });
  });
});

describe('a command document', () => {
  const documents = Object.values(
    new CommandDocuments(new Stack(new App({ analyticsReporting: false }), 'Documents'), 'Commands').documents,
  );
  interface Content {
    parameters: { Payload: { allowedPattern: string; minChars: number; maxChars: number } };
    mainSteps: { inputs: { runCommand: string[] } }[];
  }
  const stub = join(dir, 'bin');

  beforeAll(() => {
    run('mkdir', ['-p', stub]);
    for (const name of ['apply-config', 'restart-role', 'replica-set', 'repair-majority']) {
      writeFileSync(join(stub, name), '#!/bin/bash\nprintf "%s|" "$#" "$@"\n', { mode: 0o755 });
    }
  });

  it.each([
    ['an agent that knows environment variables', true],
    ['an older agent, which puts the text into the script', false],
  ])('hands its script one argument, the payload as it was sent, or is refused: %s', (_what, knowsVariables) => {
    expect(documents).toHaveLength(4);
    for (const document of documents) {
      const content = document.content as Content;
      const { allowedPattern, minChars, maxChars } = content.parameters.Payload;
      const isTaken = (text: string) => new RegExp(allowedPattern).test(text) && text.length >= minChars && text.length <= maxChars;
      const lines = content.mainSteps
        .flatMap(({ inputs }) => inputs.runCommand)
        .join('\n')
        .replaceAll('/opt/fiware-ha/bin', stub);
      const hostileOnes = sample(hostileText, 200);
      for (const text of hostileOnes) if (isTaken(text)) expect(text).toMatch(/^[A-Za-z0-9+/]+={0,2}$/);
      for (const text of sample(hostile([GOOD_PAYLOADS.orion]), 6).map((value) => base64(JSON.stringify(value)))) {
        expect(isTaken(text)).toBe(true);
        const script = knowsVariables ? lines : lines.replaceAll('{{Payload}}', text);
        const variables = knowsVariables ? [`SSM_Payload=${text}`] : [];
        expect(run('env', [...variables, 'bash', '-c', script])).toMatchObject({ code: 0, stdout: `1|${text}|` });
      }
    }
  });
});
