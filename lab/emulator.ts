/** The AWS emulator (ministack) as a process of the lab: its venv, its environment, its health. Enforces IAM; knows nothing of the stack. */
import { existsSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { LabError } from './lab-error';
import { isFree } from './local-entry';
import { LAB_NAME, LAB_PATH, logFile } from './paths';
import { type Background, isAlive, run, startBackground, waitFor } from './run-command';

/** Versions the lab was tried with. */
const PYTHON_PACKAGES = ['ministack[full]==1.5.33', 'cfn-lint==1.58.0'];

export const REGION = 'us-east-1';
export const ACCOUNT = '000000000000';

/** The emulator's root user; everything else is subject to IAM. */
export const ROOT_CREDENTIALS = { accessKeyId: 'test', secretAccessKey: 'test' };

const PORT_PREFERRED = 4566;
const START_MS = 60_000;
const NODE_MEMORY = '384m';

/** The venv with the emulator and cfn-lint, made once and kept. */
export async function ensureVenv(): Promise<void> {
  if (existsSync(join(LAB_PATH.venv, 'bin', 'ministack'))) return;
  await run('python3', ['-m', 'venv', LAB_PATH.venv]);
  await run(join(LAB_PATH.venv, 'bin', 'pip'), ['install', '--quiet', ...PYTHON_PACKAGES]);
}

/** Where the emulator itself listens: out of the containers' reach, whose way to it leads through the guard. */
const OWN_HOST = '127.0.0.1';

async function freePort(host: string): Promise<number> {
  for (let port = PORT_PREFERRED; port < PORT_PREFERRED + 50; port++)
    if ((await isFree(host, port)) && (await isFree(OWN_HOST, port))) return port;
  throw new LabError(`no free port for the emulator on ${host} and ${OWN_HOST} between ${PORT_PREFERRED} and ${PORT_PREFERRED + 49}`);
}

/** What the emulator and the functions it runs see: nothing of the caller's AWS settings, and the same node binary as here. */
function environment(host: string, port: number): NodeJS.ProcessEnv {
  return {
    PATH: `${dirname(process.execPath)}:${process.env.PATH}`,
    HOME: LAB_PATH.tmp,
    TMPDIR: LAB_PATH.tmp,
    DOCKER_HOST: process.env.DOCKER_HOST,
    AUTH: 'true',
    BIND_HOST: OWN_HOST,
    GATEWAY_PORT: String(port),
    MINISTACK_HOST: host,
    MINISTACK_HOSTNAME: LAB_NAME,
    MINISTACK_REGION: REGION,
    MINISTACK_ACCOUNT_ID: ACCOUNT,
    AWS_ENDPOINT_URL: `http://${host}:${port}`,
    DOCKER_NETWORK: LAB_NAME,
    EC2_DOCKER_FLAGS: `--cap-add NET_ADMIN --cap-add NET_RAW --memory ${NODE_MEMORY}`,
    // Keeps the emulator to what the lab uses: no broker of its own, few idle function processes.
    IOT_MTLS_ENABLED: '0',
    SFTP_ENABLED: '0',
    LAMBDA_WARM_TTL_SECONDS: '120',
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
  };
}

/** Whether the emulator answers at `endpoint`. */
export async function isHealthy(endpoint: string): Promise<boolean> {
  try {
    return (await fetch(`${endpoint}/_ministack/health`, { signal: AbortSignal.timeout(2000) })).ok;
  } catch {
    return false;
  }
}

/**
 * Starts the emulator on this machine's own address. `endpoint` is where its clients are told to find it: the same port of the lab network's
 * gateway address, where the guard is to stand, in reach of this machine and the containers and of nobody else.
 * @throws LabError when it does not answer in time.
 */
export async function startEmulator(gateway: string): Promise<{ process: Background; endpoint: string; ownEndpoint: string }> {
  const port = await freePort(gateway);
  mkdirSync(LAB_PATH.tmp, { recursive: true });
  const process = startBackground('emulator', join(LAB_PATH.venv, 'bin', 'ministack'), [], environment(gateway, port));
  const ownEndpoint = `http://${OWN_HOST}:${port}`;
  await waitFor(`the emulator (see ${logFile('emulator')})`, START_MS, 250, async () => {
    if (!isAlive(process)) throw new LabError(`the emulator ended at once; see ${logFile('emulator')}`);
    return (await isHealthy(ownEndpoint)) || null;
  });
  return { process, endpoint: `http://${gateway}:${port}`, ownEndpoint };
}

/** Environment for programs that talk to the emulator as its root user (the CDK CLI, the project's CLI). */
export function rootEnvironment(endpoint: string): NodeJS.ProcessEnv {
  const { AWS_PROFILE: _profile, AWS_SESSION_TOKEN: _token, ...rest } = process.env;
  return {
    ...rest,
    AWS_ENDPOINT_URL: endpoint,
    AWS_ENDPOINT_URL_S3: endpoint,
    AWS_ACCESS_KEY_ID: ROOT_CREDENTIALS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: ROOT_CREDENTIALS.secretAccessKey,
    AWS_REGION: REGION,
    AWS_DEFAULT_REGION: REGION,
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
  };
}
