/** Deploys the project's CDK app to the emulator with the real CDK CLI, and registers the node image. Holds no knowledge of the stack but its outputs. */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { RegisterImageCommand } from '@aws-sdk/client-ec2';
import { makeClients } from './clients';
import { ACCOUNT, REGION, rootEnvironment } from './emulator';
import { LabError } from './lab-error';
import { LAB_DIR, LAB_PATH, PROJECT } from './paths';
import { run } from './run-command';

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

/** Runs `cdk deploy` with the lab's context; answers the stack's outputs. @throws LabError with the CLI's last lines. */
export async function deploy(endpoint: string, context: Record<string, string>): Promise<Record<string, string>> {
  const contextArgs = Object.entries(context).flatMap(([key, value]) => ['--context', `${key}=${value}`]);
  const args = ['deploy', '--all', '--require-approval', 'never', '--output', LAB_PATH.cdkOut, '--outputs-file', LAB_PATH.outputs];
  await run(CDK, [...args, ...contextArgs, ...QUIET], { cwd: PROJECT, env: environment(endpoint) });
  const stacks = JSON.parse(readFileSync(LAB_PATH.outputs, 'utf8')) as Record<string, Record<string, string>>;
  return Object.assign({}, ...Object.values(stacks)) as Record<string, string>;
}
