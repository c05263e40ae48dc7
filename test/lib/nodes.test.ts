import { describe, expect, it } from '@jest/globals';
import { App, Stack } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import { SubnetType, Vpc } from 'aws-cdk-lib/aws-ec2';
import { ROLES } from '../../lambdas/core/names';
import { ControlPlane } from '../../lib';
import { aStack, inIds, resourcesOf, shown, theResource } from './synthesized';

const template = Template.fromStack(aStack({ entryCidrs: ['198.51.100.0/24'] }));

interface LaunchTemplateData {
  ImageId: string;
  MetadataOptions: Record<string, unknown>;
  BlockDeviceMappings: { Ebs: Record<string, unknown> }[];
  SecurityGroupIds: unknown[];
  IamInstanceProfile: { Arn: unknown };
}

describe.each(ROLES)('instances of role %s', (role) => {
  const { properties } = theResource(template, 'AWS::EC2::LaunchTemplate', `Nodes${inIds(role)}Template`);
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
      `<${theResource(template, 'AWS::EC2::SecurityGroup', `Nodes${inIds(role)}Group`).id}.GroupId>`,
    ]);
    const profile = shown(data.IamInstanceProfile.Arn).slice(1, -'.Arn>'.length);
    const { Roles } = resourcesOf(template, 'AWS::IAM::InstanceProfile').find(({ id }) => id === profile)?.properties ?? {};
    expect(Roles).toEqual([{ Ref: theResource(template, 'AWS::IAM::Role', `Nodes${inIds(role)}Role`).id }]);
  });
});

/** Every opening as `who -> whom protocol ports`, the groups by their short names. */
function openings(found: Template): string[] {
  const short = (text: string) => {
    if (/EIP\w+>\/32$/.test(text)) return 'NAT';
    return /Nodes([a-z]+)Group|(Functions|SsmEndpoints)Group/.exec(text)?.slice(1).find(Boolean) ?? text;
  };
  const line = (rule: Record<string, unknown>, to: string) => {
    const from = shown(rule.CidrIp ?? rule.SourceSecurityGroupId);
    return `${short(String(from))} -> ${short(to)} ${rule.IpProtocol} ${[...new Set([rule.FromPort, rule.ToPort])].join('-')}`.trimEnd();
  };
  const inline = resourcesOf(found, 'AWS::EC2::SecurityGroup').flatMap(({ id, properties }) =>
    ((properties.SecurityGroupIngress ?? []) as Record<string, unknown>[]).map((rule) => line(rule, id)),
  );
  const own = resourcesOf(found, 'AWS::EC2::SecurityGroupIngress').map(({ properties }) => line(properties, shown(properties.GroupId)));
  return [...inline, ...own].sort();
}

describe('security groups', () => {
  const SERVICES: [role: string, toBalancers: number[], toProbes: number[]][] = [
    ['orion', [1026], [1026]],
    ['orionld', [1026], [1026]],
    ['sthcomet', [8666], [8666]],
    ['iotagentjson', [4041, 7896], [4041]],
    ['iotagentul', [4061, 7896], [4061]],
    ['cygnus', [5051, 5080], [5080]],
  ];
  const BETWEEN = [
    '10.64.0.0/16 -> lb tcp 8404',
    'Functions -> SsmEndpoints tcp 443',
    ...['lb', 'mongo', ...SERVICES.map(([role]) => role)].flatMap((role) => [
      `${role} -> SsmEndpoints tcp 443`,
      `Functions -> ${role} tcp 8404`,
    ]),
    'Functions -> mongo tcp 27017',
    'lb -> lb 112',
    'mongo -> mongo tcp 27017',
    ...SERVICES.flatMap(([role, toBalancers, toProbes]) => [
      ...toBalancers.map((port) => `lb -> ${role} tcp ${port}`),
      ...toProbes.map((port) => `Functions -> ${role} tcp ${port}`),
      `${role} -> mongo tcp 27017`,
    ]),
  ];
  const OFFERED = [1026, 8666, 4041, 7896, 4061, 5051];
  const entryOf = (from: string, ports = OFFERED) => ports.map((port) => `${from} -> lb tcp ${port}`);
  const NAT = [1, 2, 3].flatMap(() => entryOf('NAT'));

  it('open what the parts need of each other, and the balancers to nodes behind the NAT gateways and the clients that were named', () => {
    expect(openings(template)).toEqual([...entryOf('198.51.100.0/24'), ...NAT, ...BETWEEN].sort());
  });

  it('open nothing else to the outside while nobody was named', () => {
    expect(openings(Template.fromStack(aStack()))).toEqual([...NAT, ...BETWEEN].sort());
  });

  it('open the ports that were named as well, to the same', () => {
    const ports = [...OFFERED, 2026];
    const found = openings(Template.fromStack(aStack({ zones: 2, entryCidrs: ['198.51.100.0/24'], entryPorts: [2026, 1026] })));
    expect(found).toEqual([...entryOf('198.51.100.0/24', ports), ...[1, 2].flatMap(() => entryOf('NAT', ports)), ...BETWEEN].sort());
  });

  it('let the address of each NAT gateway in, and no other', () => {
    const cidrs = resourcesOf(template, 'AWS::EC2::SecurityGroupIngress').map(({ properties }) => shown(properties.CidrIp));
    const gateways = resourcesOf(template, 'AWS::EC2::NatGateway').map(({ properties: { AllocationId } }) => shown(AllocationId));
    expect(gateways).toHaveLength(3);
    const ofGateways = gateways.flatMap((gateway) => OFFERED.map(() => `${gateway.replace('.AllocationId', '')}/32`));
    expect(cidrs.filter((cidr) => cidr.endsWith('/32')).sort()).toEqual(ofGateways.sort());
  });

  it('know no NAT gateways of a VPC that was given', () => {
    const stack = new Stack(new App({ builtinCloudFormationValidation: false }), 'Theirs');
    const types = [SubnetType.PUBLIC, SubnetType.PRIVATE_WITH_EGRESS];
    const vpc = new Vpc(stack, 'Vpc', { maxAzs: 2, subnetConfiguration: types.map((subnetType) => ({ name: subnetType, subnetType })) });
    new ControlPlane(stack, 'Fiware', { vpc, entryCidrs: ['198.51.100.7/32'] });
    const toBalancers = openings(Template.fromStack(stack)).filter((line) => / -> lb tcp (?!8404)/.test(line));
    expect(toBalancers).toEqual(entryOf('198.51.100.7/32').sort());
  });

  it('warn of more rules than a group takes, and only then', () => {
    const warningsWith = (count: number) =>
      Annotations.fromStack(aStack({ entryCidrs: Array.from({ length: count }, (_, i) => `198.51.${i}.0/24`) })).findWarning(
        '*',
        Match.stringLikeRegexp('entryCidrs: .* rules, a security group takes 60'),
      );
    expect(warningsWith(6)).toEqual([]);
    expect(warningsWith(7)).toHaveLength(1);
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
