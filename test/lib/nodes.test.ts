import { describe, expect, it } from '@jest/globals';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { aStack, resourcesOf, shown, theResource } from './synthesized';

const template = Template.fromStack(aStack({ entryCidrs: ['198.51.100.0/24'] }));
const ROLES = ['lb', 'orion', 'mongo'] as const;

interface LaunchTemplateData {
  ImageId: string;
  MetadataOptions: Record<string, unknown>;
  BlockDeviceMappings: { Ebs: Record<string, unknown> }[];
  SecurityGroupIds: unknown[];
  IamInstanceProfile: { Arn: unknown };
}

describe.each(ROLES)('instances of role %s', (role) => {
  const { properties } = theResource(template, 'AWS::EC2::LaunchTemplate', `Nodes${role}Template`);
  const data = properties.LaunchTemplateData as LaunchTemplateData;

  it('run Ubuntu 24.04, found by its public parameter at launch', () => {
    expect(data.ImageId).toMatch(/^resolve:ssm:\/aws\/service\/canonical\/ubuntu\/server\/24\.04\/stable\/current\//);
  });

  it('give their credentials to IMDSv2 alone, one hop away', () => {
    expect(data.MetadataOptions).toMatchObject({ HttpTokens: 'required', HttpPutResponseHopLimit: 1 });
  });

  it('have encrypted gp3 volumes', () => {
    expect(data.BlockDeviceMappings.length).toBeGreaterThan(0);
    for (const { Ebs } of data.BlockDeviceMappings) expect(Ebs).toMatchObject({ Encrypted: true, VolumeType: 'gp3' });
  });

  it('have the security group and the instance profile of their role alone', () => {
    expect(data.SecurityGroupIds.map(shown)).toEqual([
      `<${theResource(template, 'AWS::EC2::SecurityGroup', `Nodes${role}Group`).id}.GroupId>`,
    ]);
    const profile = shown(data.IamInstanceProfile.Arn).slice(1, -'.Arn>'.length);
    const { Roles } = resourcesOf(template, 'AWS::IAM::InstanceProfile').find(({ id }) => id === profile)?.properties ?? {};
    expect(Roles).toEqual([{ Ref: theResource(template, 'AWS::IAM::Role', `Nodes${role}Role`).id }]);
  });
});

/** Every opening as `who -> whom protocol ports`, the groups by their short names. */
function openings(found: Template): string[] {
  const short = (text: string) => /Nodes(lb|orion|mongo)Group|(Functions|SsmEndpoints)Group/.exec(text)?.slice(1).find(Boolean) ?? text;
  const line = (rule: Record<string, unknown>, to: string) => {
    const from = rule.CidrIp ?? shown(rule.SourceSecurityGroupId);
    return `${short(String(from))} -> ${short(to)} ${rule.IpProtocol} ${[...new Set([rule.FromPort, rule.ToPort])].join('-')}`.trimEnd();
  };
  const inline = resourcesOf(found, 'AWS::EC2::SecurityGroup').flatMap(({ id, properties }) =>
    ((properties.SecurityGroupIngress ?? []) as Record<string, unknown>[]).map((rule) => line(rule, id)),
  );
  const own = resourcesOf(found, 'AWS::EC2::SecurityGroupIngress').map(({ properties }) => line(properties, shown(properties.GroupId)));
  return [...inline, ...own].sort();
}

describe('security groups', () => {
  const BETWEEN = [
    '10.64.0.0/16 -> lb tcp 8404',
    'Functions -> SsmEndpoints tcp 443',
    'Functions -> lb tcp 8404',
    'Functions -> mongo tcp 27017',
    'Functions -> mongo tcp 8404',
    'Functions -> orion tcp 1026',
    'Functions -> orion tcp 8404',
    'lb -> SsmEndpoints tcp 443',
    'lb -> lb 112',
    'lb -> orion tcp 1026',
    'mongo -> SsmEndpoints tcp 443',
    'mongo -> mongo tcp 27017',
    'orion -> SsmEndpoints tcp 443',
    'orion -> mongo tcp 27017',
  ];

  it('open what the parts need of each other, and the balancers to the clients that were named', () => {
    expect(openings(template)).toEqual(['198.51.100.0/24 -> lb tcp 1026', ...BETWEEN].sort());
  });

  it('open nothing to the outside while nobody was named', () => {
    expect(openings(Template.fromStack(aStack()))).toEqual(BETWEEN);
  });
});

describe('commands on nodes', () => {
  const documents = resourcesOf(template, 'AWS::SSM::Document').map(({ properties }) => properties);

  it('are four documents with one bounded base64 parameter', () => {
    expect(documents).toHaveLength(4);
    for (const { Content } of documents) {
      const { schemaVersion, parameters } = Content as { schemaVersion: string; parameters: Record<string, Record<string, unknown>> };
      expect(schemaVersion).toBe('2.2');
      expect(Object.keys(parameters)).toEqual(['Payload']);
      const { allowedPattern, maxChars, interpolationType } = parameters.Payload ?? {};
      expect(interpolationType).toBe('ENV_VAR');
      expect(maxChars).toBeLessThanOrEqual(100_000);
      const pattern = new RegExp(String(allowedPattern));
      expect(pattern.test(Buffer.from('{"role":"lb"}').toString('base64'))).toBe(true);
      for (const bad of ["'; reboot #", '$(id)', '`id`', 'a b', 'YQ==\nid', '']) expect(pattern.test(bad)).toBe(false);
    }
  });

  it('each run one script and hand the payload over quoted', () => {
    const scripts = documents.map(({ Content }) => {
      const [step] = (Content as { mainSteps: { action: string; inputs: { runCommand: string[] } }[] }).mainSteps;
      expect(step?.action).toBe('aws:runShellScript');
      return step?.inputs.runCommand.at(-1);
    });
    expect(scripts.sort()).toEqual(
      ['apply-config', 'repair-majority', 'replica-set', 'restart-role'].map((name) => `exec /opt/fiware-ha/bin/${name} "$SSM_Payload"`),
    );
  });

  it('reach the functions by their documents’ names', () => {
    template.hasResourceProperties('AWS::Lambda::Function', {
      Environment: {
        Variables: { COMMAND_DOCUMENTS: { 'Fn::Join': ['', Match.arrayWith(['{"apply-config":"'])] }, PLACEMENT_GROUPS: 'on' },
      },
    });
  });
});
