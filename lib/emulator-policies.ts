/**
 * What the emulator's IAM can't evaluate in our policies: it sees no tags of EC2 and SSM resources, and names no resource but `*` for some calls.
 * Rewrites resolved statements for it; actions stay as narrow as on AWS. Never used for AWS.
 */

export interface Statement {
  Effect?: string;
  Action?: string | string[];
  Resource?: unknown;
  Condition?: Record<string, Record<string, unknown>>;
  Sid?: string;
}

const UNSEEN_KEY = /^(?:aws:RequestTag\/|aws:ResourceTag\/|ssm:resourceTag\/|ec2:CreateAction$)/;

/** Metadata of a policy: its statements as they are on AWS, where the emulator gets wider ones. The lab's guard reads them. */
export const POLICY_ON_AWS = 'fiware-ha:on-aws';

/** Calls the emulator checks against the resource `*` alone. */
const WITHOUT_RESOURCE: ReadonlySet<string> = new Set([
  'ec2:AllocateAddress',
  'ec2:DisassociateAddress',
  'ssm:GetParametersByPath',
  'ssm:SendCommand',
]);

export interface Relaxed {
  statements: Statement[];
  /** Conditions that were dropped. */
  conditions: number;
  /** Actions that now hold on `*`. */
  widened: string[];
}

function withoutUnseen(statement: Statement): Statement {
  const { Condition: condition, ...rest } = statement;
  const kept = Object.entries(condition ?? {}).flatMap(([operator, keys]) => {
    const seen = Object.entries(keys).filter(([key]) => !UNSEEN_KEY.test(key));
    return seen.length > 0 ? [[operator, Object.fromEntries(seen)] as const] : [];
  });
  return kept.length > 0 ? { ...rest, Condition: Object.fromEntries(kept) } : rest;
}

/** The statements as the emulator can evaluate them. */
export function relaxForEmulator(statements: readonly Statement[]): Relaxed {
  const relaxed = statements.map(withoutUnseen);
  const conditions = statements.filter((statement, i) => JSON.stringify(statement.Condition) !== JSON.stringify(relaxed[i]?.Condition));
  const actions = statements.filter(({ Effect }) => Effect === 'Allow').flatMap(({ Action }) => Action ?? []);
  const widened = [...new Set(actions)].filter((action) => WITHOUT_RESOURCE.has(action)).sort();
  const extra: Statement[] = widened.length > 0 ? [{ Effect: 'Allow', Action: widened, Resource: '*' }] : [];
  return { statements: [...relaxed, ...extra], conditions: conditions.length, widened };
}
