/** Puts requests to a simulator of IAM's policy evaluation. Knows no policy by itself; a request AWS would not understand is an error. */
import { runSimulation } from '@cloud-copilot/iam-simulate';
import type { Authorization } from './authorizations';
import { ACCOUNT, type Statement } from './deployment';

const known = new Map<string, Promise<boolean>>();

/** AWS' own parameters and documents have no account in their ARN; the simulator wants one, so they get this in policy and request alike. */
const OF_AWS = '000000000000';
const withAccount = (arn: string) => arn.replace(/^(arn:aws:ssm:[a-z0-9-]+:):/, `$1${OF_AWS}:`);

async function simulate(principal: string, statements: readonly Statement[], authorization: Authorization): Promise<boolean> {
  const { action, context } = authorization;
  const resource = withAccount(authorization.resource);
  const policy = { Version: '2012-10-17', Statement: statements.map((one) => ({ ...one, Resource: one.Resource.map(withAccount) })) };
  const results = await runSimulation(
    {
      request: {
        principal,
        action,
        resource: { resource, accountId: authorization.resource.split(':')[4] || ACCOUNT },
        contextVariables: context,
      },
      identityPolicies: [{ name: 'policy', policy }],
      serviceControlPolicies: [],
      resourceControlPolicies: [],
    },
    {},
  );
  const asked = `${action} on ${resource}`;
  if (results.resultType === 'error') throw new Error(`${asked}: ${JSON.stringify(results.errors)}`);
  const one = results.resultType === 'single' ? [results.result] : results.results;
  const ignored = one.flatMap(({ ignoredContextKeys = [] }) => ignoredContextKeys);
  if (ignored.length > 0) throw new Error(`${asked}: the action has no context keys ${ignored.join(', ')}`);
  return results.overallResult === 'Allowed';
}

/** Whether a role with these statements may do it; asked once for each question. */
export function isAllowed(principal: string, statements: readonly Statement[], authorization: Authorization): Promise<boolean> {
  // Only statements that name the action can have a say.
  const relevant = statements.filter(({ Action }) => Action.includes(authorization.action));
  if (relevant.length === 0) return Promise.resolve(false);
  const question = JSON.stringify([principal, relevant, authorization]);
  const answer = known.get(question) ?? simulate(principal, relevant, authorization);
  known.set(question, answer);
  return answer;
}
