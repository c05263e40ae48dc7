/** Deploys the project's CDK app to the emulator with the real CDK CLI, and registers the node image. Holds no knowledge of the stack but its outputs. */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { RegisterImageCommand } from '@aws-sdk/client-ec2';
import { ROLES, type Role } from '../lambdas/core/names';
import { makeClients } from './clients';
import { ACCOUNT, REGION, rootEnvironment } from './emulator';
import { LabError } from './lab-error';
import { LAB_DIR, LAB_NAME, LAB_PATH, PROJECT } from './paths';
import { run, tryRun } from './run-command';

const CDK = join(PROJECT, 'node_modules', '.bin', 'cdk');
const QUIET = ['--no-notices', '--no-version-reporting'];

function environment(endpoint: string): NodeJS.ProcessEnv {
  return { ...rootEnvironment(endpoint), CDK_DISABLE_CLI_TELEMETRY: 'true', CDK_DEFAULT_ACCOUNT: ACCOUNT, CDK_DEFAULT_REGION: REGION };
}

/** Registers a Docker image as an AMI: its instances are containers of it. */
export async function registerImage(endpoint: string, name: string, dockerImage: string): Promise<string> {
  const command = new RegisterImageCommand({ Name: name, ImageLocation: dockerImage, Architecture: 'x86_64', VirtualizationType: 'hvm' });
  const { ImageId: imageId } = await makeClients(endpoint).ec2.send(command);
  if (!imageId) throw new LabError(`the emulator registered no image for ${dockerImage}`);
  return imageId;
}

/** Runs `cdk bootstrap`, outside of the project so that nothing is synthesized for it. */
export async function bootstrap(endpoint: string): Promise<void> {
  mkdirSync(LAB_DIR, { recursive: true });
  await run(CDK, ['bootstrap', `aws://${ACCOUNT}/${REGION}`, ...QUIET], { cwd: LAB_DIR, env: environment(endpoint) });
}

/** Seconds between two looks in the lab: people watch it, and the emulator charges nothing. */
const TICK_EVERY_S = 2;
const TAKEN_OUT = 'taken out for the emulator: ';

export interface Deployed {
  outputs: Record<string, string>;
  /** What the emulator has no type for, one line a type. */
  removedFromTemplate: string[];
}

const LINES_SHOWN = 15;

/** The lines that say what went wrong, without the roll-back's many; the last ones where none does. */
function tellingLines(lines: string[]): string[] {
  const telling = lines.filter((line) => /_FAILED|❌|error/i.test(line) && !/DELETE_|ROLLBACK_COMPLETE/.test(line));
  return (telling.length > 0 ? telling : lines.filter(Boolean)).slice(-LINES_SHOWN);
}

/** Runs `cdk deploy` of the project's app with the lab's context. `images`: Docker image by role. @throws LabError with the CLI's last lines */
export async function deployControlPlane(endpoint: string, images: Record<Role, string>): Promise<Deployed> {
  const imageIds: Record<string, string> = {};
  for (const role of ROLES) imageIds[role] = await registerImage(endpoint, `${LAB_NAME}-${role}`, images[role]);
  const context = {
    'fiware-ha:lab': 'true',
    'fiware-ha:imageIds': JSON.stringify(imageIds),
    'fiware-ha:tickEveryS': String(TICK_EVERY_S),
    'fiware-ha:terminationsPer10Min': '100',
  };
  const contextArgs = Object.entries(context).flatMap(([key, value]) => ['--context', `${key}=${value}`]);
  const args = ['deploy', '--all', '--require-approval', 'never', '--output', LAB_PATH.cdkOut, '--outputs-file', LAB_PATH.outputs];
  const ran = await tryRun(CDK, [...args, ...contextArgs, ...QUIET], { cwd: PROJECT, env: environment(endpoint) });
  const said = `${ran.stdout}\n${ran.stderr}`.split('\n');
  if (ran.code !== 0) throw new LabError(`cdk deploy: ended with exit code ${ran.code}.\n${tellingLines(said).join('\n')}`);
  const stacks = JSON.parse(readFileSync(LAB_PATH.outputs, 'utf8')) as Record<string, Record<string, string>>;
  const removedFromTemplate = said.filter((line) => line.startsWith(TAKEN_OUT)).map((line) => line.slice(TAKEN_OUT.length));
  return { outputs: Object.assign({}, ...Object.values(stacks)) as Record<string, string>, removedFromTemplate };
}
