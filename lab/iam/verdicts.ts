/** Puts requests to a simulator of IAM's policy evaluation. Knows no policy by itself; a request AWS would not understand is an error. */
import { runSimulation } from '@cloud-copilot/iam-simulate';
import type { Authorization } from './authorizations';
import type { Statement } from './deployment';

const known = new Map<string, Promise<boolean>>();

/** AWS' own parameters and documents have no account in their ARN; the simulator wants one, so they get this in policy and request alike. */
const OF_AWS = '100000000001';
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
        resource: { resource, accountId: authorization.resource.split(':')[4] || (principal.split(':')[4] ?? '') },
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

/** Keys that some condition of the statements asks for. */
function keysAsked(statements: readonly Statement[]): Set<string> {
  return new Set(statements.flatMap(({ Condition = {} }) => Object.values(Condition).flatMap(Object.keys)));
}

/**
 * Whether a role with these statements may do it; asked once for each question. `ofCaller`: context keys of every call that the caller makes,
 * whatever it asks for.
 */
export function isAllowed(
  principal: string,
  statements: readonly Statement[],
  { action, resource, context }: Authorization,
  ofCaller: Record<string, string> = {},
): Promise<boolean> {
  // Only statements that name the action can have a say.
  const relevant = statements.filter(({ Action }) => Action.includes(action));
  if (relevant.length === 0) return Promise.resolve(false);
  const asked = keysAsked(relevant);
  const added = Object.fromEntries(Object.entries(ofCaller).filter(([key]) => asked.has(key)));
  const full = { action, resource, context: { ...added, ...context } };
  const question = JSON.stringify([principal, relevant, full]);
  const answer = known.get(question) ?? simulate(principal, relevant, full);
  known.set(question, answer);
  return answer;
}
