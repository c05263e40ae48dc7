import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { CONTROL_PLANE_PARAMETER, parseControlPlane } from '../../lambdas/control-plane-parameter';
import { operatorPorts } from '../../lambdas/runtime';
import { type Answer, type Call, fakeAws, json, stopFakes } from '../aws/fake-aws';

const PLANE = {
  tableName: 'state',
  queues: { 'health-check': 'https://sqs/h', provision: 'https://sqs/p', failover: 'https://sqs/f' },
  tickEveryS: 10,
};
const outside = { ...process.env };

beforeEach(() => {
  Object.assign(process.env, { AWS_REGION: 'eu-west-1', AWS_ACCESS_KEY_ID: 'made', AWS_SECRET_ACCESS_KEY: 'up' });
});

afterEach(async () => {
  process.env = { ...outside };
  await stopFakes();
});

async function answering(answer: (call: Call) => Answer): Promise<Call[]> {
  const { client, calls } = await fakeAws(answer);
  process.env.AWS_ENDPOINT_URL = client.endpoint;
  return calls;
}

describe('the parameter of the control plane', () => {
  it('is read back as it was written, also where a deployment wrote a number as text', () => {
    expect(parseControlPlane(JSON.stringify({ ...PLANE, tickEveryS: '10' }))).toEqual(PLANE);
  });

  it('names what is wrong with it', () => {
    expect(() => parseControlPlane('nonsense')).toThrow('/fiware-ha/control-plane: expected JSON; got "nonsense"');
    expect(() => parseControlPlane(undefined)).toThrow('expected JSON');
    expect(() => parseControlPlane(JSON.stringify({ ...PLANE, tableName: 5, queues: {} }))).toThrow(
      /tableName: .*; queues\.health-check: /,
    );
  });
});

describe('the ports of an operator', () => {
  it('find the table and the queues by the parameter', async () => {
    const calls = await answering(({ operation }) =>
      operation === 'GetParameter' ? json({ Parameter: { Value: JSON.stringify(PLANE), Version: 1 } }) : json({ Items: [] }),
    );
    const { journal, controlPlane } = await operatorPorts();
    expect(controlPlane).toEqual(PLANE);
    expect(await journal.read('city', 5)).toEqual([]);
    expect(calls.map(({ operation, json: input }) => [operation, input.Name ?? input.TableName])).toEqual([
      ['GetParameter', CONTROL_PLANE_PARAMETER],
      ['Query', 'state'],
    ]);
  });

  it('say in one sentence that there is no control plane, and what to do', async () => {
    await answering(() => json({ __type: 'ParameterNotFound' }, 400));
    await expect(operatorPorts()).rejects.toThrow(
      /^no control plane found: GetParameter \/fiware-ha\/control-plane: ParameterNotFound: .*; is the control plane deployed in this account and region \(npx cdk deploy\)/,
    );
  });
});
