/** As much of mongosh as a recipe's scripts use: one member, `--eval` or `--file`, `db.adminCommand` and `db.hello`. Holds no rule of its own. */
import { readFileSync } from 'node:fs';
import { runInNewContext } from 'node:vm';
import { SyncDriver } from '../lab/sync-driver';

const args = process.argv.slice(2);
const host = /^mongodb:\/\/([^/]+)\//.exec(args.find((arg) => arg.startsWith('mongodb://')) ?? '')?.[1] ?? '';
const given = (option: string) => args[args.indexOf(option) + 1] ?? '';

const driver = new SyncDriver();
const db = {
  adminCommand: (command: Record<string, unknown>) => driver.ask(host, command),
  hello: () => driver.ask(host, { hello: 1 }),
};
let code = 0;
try {
  const text = args.includes('--file') ? readFileSync(given('--file'), 'utf8') : given('--eval');
  runInNewContext(text, { db, print: (value: unknown) => process.stdout.write(`${value}\n`), process, Buffer });
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  code = 1;
}
void driver.end().then(() => process.exit(code));
