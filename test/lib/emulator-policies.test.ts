import { describe, expect, it } from '@jest/globals';
import { relaxForEmulator } from '../../lib/emulator-policies';

describe('policies for the emulator', () => {
  it('lose conditions on tags and keep all others', () => {
    const Condition = {
      StringLike: { 'aws:ResourceTag/fiware-ha:cluster': '?*' },
      StringEquals: { 'iam:PassedToService': 'ec2.amazonaws.com', 'ec2:CreateAction': 'RunInstances' },
    };
    const { statements, conditions } = relaxForEmulator([{ Effect: 'Allow', Action: 'iam:PassRole', Resource: 'r', Condition }]);
    expect(statements).toEqual([
      {
        Effect: 'Allow',
        Action: 'iam:PassRole',
        Resource: 'r',
        Condition: { StringEquals: { 'iam:PassedToService': 'ec2.amazonaws.com' } },
      },
    ]);
    expect(conditions).toBe(1);
  });

  it('allow on `*` only what was allowed, and only where the emulator knows no narrower resource', () => {
    const { statements, widened } = relaxForEmulator([
      { Effect: 'Allow', Action: ['ssm:GetParameter', 'ssm:GetParametersByPath'], Resource: 'r' },
      { Effect: 'Deny', Action: 'ssm:SendCommand', Resource: 'r' },
    ]);
    expect(widened).toEqual(['ssm:GetParametersByPath']);
    expect(statements.at(-1)).toEqual({ Effect: 'Allow', Action: ['ssm:GetParametersByPath'], Resource: '*' });
    expect(statements).toHaveLength(3);
  });

  it('stay as they are where nothing is to be done', () => {
    const statement = { Effect: 'Allow', Action: 'sqs:SendMessage', Resource: 'r' };
    expect(relaxForEmulator([statement])).toEqual({ statements: [statement], conditions: 0, widened: [] });
  });
});
