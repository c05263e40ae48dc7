import { describe, expect, it } from '@jest/globals';
import { byRole } from '../../lambdas/core/names';
import { type DeploymentValues, environmentOf, parseEnvironment } from '../../lambdas/env';
import { UBUNTU_PARAMETER } from '../../lib/node-roles';

/** AWS Lambda quotas: environment variables, in aggregate. */
const LAMBDA_TAKES_BYTES = 4_096;

const VALUES: DeploymentValues = {
  tableName: 'state',
  queueUrls: { 'health-check': 'https://sqs/h', provision: 'https://sqs/p', failover: 'https://sqs/f' },
  tickEveryS: 15,
  terminationsPer10Min: 7,
  probeTimeoutMs: 1_500,
  subnets: [{ zone: 'eu-west-1a', public: 'subnet-1', private: 'subnet-2' }],
  launchTemplates: byRole((role) => `lt-${role}`),
  imageIds: byRole(() => 'ami-1'),
  commandDocuments: { 'apply-config': 'a', 'restart-role': 'r', 'replica-set': 's', 'repair-majority': 'm' },
  placementGroups: 'off',
};

function refusal(change: Record<string, string | undefined>): string {
  try {
    parseEnvironment({ ...environmentOf(VALUES), ...change });
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('expected a refusal');
}

describe('the environment', () => {
  it('comes back as it was written', () => {
    expect(parseEnvironment(environmentOf(VALUES))).toEqual({
      TABLE_NAME: 'state',
      HEALTH_CHECK_QUEUE_URL: 'https://sqs/h',
      PROVISION_QUEUE_URL: 'https://sqs/p',
      FAILOVER_QUEUE_URL: 'https://sqs/f',
      TICK_EVERY_S: 15,
      TERMINATIONS_PER_10_MIN: 7,
      PROBE_TIMEOUT_MS: 1_500,
      SUBNETS: VALUES.subnets,
      LAUNCH_TEMPLATES: VALUES.launchTemplates,
      IMAGE_IDS: VALUES.imageIds,
      COMMAND_DOCUMENTS: VALUES.commandDocuments,
      PLACEMENT_GROUPS: 'off',
    });
  });

  it('takes the word shell in place of documents', () => {
    expect(parseEnvironment(environmentOf({ ...VALUES, commandDocuments: 'shell' })).COMMAND_DOCUMENTS).toBe('shell');
  });

  it('names only the queues a function may send to', () => {
    const variables = environmentOf({ ...VALUES, queueUrls: { 'health-check': 'https://sqs/h' } });
    expect(variables).not.toHaveProperty('PROVISION_QUEUE_URL');
    expect(parseEnvironment(variables)).not.toHaveProperty('FAILOVER_QUEUE_URL');
  });

  it('writes JSON as the deployment does, because its values may be tokens', () => {
    expect(environmentOf(VALUES, () => '<json>')).toMatchObject({ SUBNETS: '<json>', IMAGE_IDS: '<json>', TICK_EVERY_S: '15' });
  });

  it('stays below what Lambda takes for all variables together, with names as long as they come and roles to be added', () => {
    const url = (queue: string) =>
      `https://sqs.ap-southeast-1.amazonaws.com/111122223333/FiwareHa-ControlPlane${queue}0A1B2C3D-a1b2c3d4e5f6`;
    const id = '0123456789abcdef0';
    const variables = environmentOf({
      ...VALUES,
      tableName: 'FiwareHa-ControlPlaneStateTable0A1B2C3D-ABCDEFGHIJKL',
      queueUrls: { 'health-check': url('HealthCheckQueue'), provision: url('ProvisionQueue'), failover: url('FailoverQueue') },
      subnets: ['a', 'b', 'c'].map((zone) => ({ zone: `ap-southeast-1${zone}`, public: `subnet-${id}`, private: `subnet-${id}` })),
      launchTemplates: byRole(() => `lt-${id}`),
      imageIds: byRole(() => `resolve:ssm:${UBUNTU_PARAMETER}`),
      commandDocuments: {
        'apply-config': 'FiwareHa-ControlPlaneCommandsapplyconfig0A1B2C3D-abcdefghijkl',
        'restart-role': 'FiwareHa-ControlPlaneCommandsrestartrole0A1B2C3D-abcdefghijkl',
        'replica-set': 'FiwareHa-ControlPlaneCommandsreplicaset0A1B2C3D-abcdefghijkl',
        'repair-majority': 'FiwareHa-ControlPlaneCommandsrepairmajority0A1B2C3D-abcdefghijkl',
      },
    });
    const bytes = Object.entries(variables).reduce((sum, [name, value]) => sum + name.length + value.length, 0);
    expect(bytes).toBeLessThan(LAMBDA_TAKES_BYTES * 0.75);
  });

  it('names every missing variable in one message that says what to do', () => {
    const message = refusal({ TABLE_NAME: undefined, SUBNETS: undefined });
    expect(message).toBe(
      'environment: TABLE_NAME: missing; SUBNETS: missing. The stack sets these variables: deploy it again, or set them by hand',
    );
  });

  it.each([
    ['TABLE_NAME', '', 'TABLE_NAME: Too small: expected string to have >=1 characters; got ""'],
    ['TICK_EVERY_S', '90', 'TICK_EVERY_S: Too big: expected number to be <=60; got "90"'],
    ['TICK_EVERY_S', 'often', 'TICK_EVERY_S: Invalid input: expected number, received NaN; got "often"'],
    ['PROVISION_QUEUE_URL', 'arn:aws:sqs', 'PROVISION_QUEUE_URL: expected a queue URL; got "arn:aws:sqs"'],
    ['SUBNETS', '[{', 'SUBNETS: expected JSON; got "[{"'],
    ['SUBNETS', '[]', 'SUBNETS: Too small: expected array to have >=1 items; got "[]"'],
    ['LAUNCH_TEMPLATES', '{"lb":"lt-1","orion":"lt-2"}', 'LAUNCH_TEMPLATES.mongo: '],
    ['IMAGE_IDS', JSON.stringify(byRole(() => 'ami-1')).replace('cygnus', 'signus'), 'IMAGE_IDS.cygnus: '],
    ['COMMAND_DOCUMENTS', 'bash', 'COMMAND_DOCUMENTS: expected JSON; got "bash"'],
    ['COMMAND_DOCUMENTS', '{"apply-config":"a"}', 'COMMAND_DOCUMENTS: expected the word shell, or document names by command'],
    ['PLACEMENT_GROUPS', 'maybe', 'PLACEMENT_GROUPS: Invalid option: expected one of "on"|"off"; got "maybe"'],
  ])('names %s when it is %j, its value and what was expected', (name, value, words) => {
    expect(refusal({ [name]: value })).toContain(words);
  });
});
