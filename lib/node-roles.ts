/** What instances of each role are launched with: IAM role, security group, launch template. Launches nothing. */
import { Duration, Stack, Tags, Validations } from 'aws-cdk-lib';
import {
  BlockDeviceVolume,
  EbsDeviceVolumeType,
  InstanceType,
  type IVpc,
  LaunchTemplate,
  MachineImage,
  OperatingSystemType,
  Peer,
  Port,
  type Protocol,
  SecurityGroup,
  UserData,
} from 'aws-cdk-lib/aws-ec2';
import { Effect, Role as IamRole, ManagedPolicy, PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { PORT, ROLES, type Role } from '../lambdas/core/names';
import { userData } from '../nodes/user-data';
import { explainWildcards, WILDCARD } from './wildcards';

/** Canonical's public parameter for Ubuntu 24.04; resolved anew at each launch. */
export const UBUNTU_PARAMETER = '/aws/service/canonical/ubuntu/server/24.04/stable/current/amd64/hvm/ebs-gp3/ami-id';

/** IP protocol number of VRRP, as EC2 wants it. */
const VRRP_PROTOCOL = '112' as Protocol;
const ROOT_VOLUME_GIB = 20;

export interface NodeRolesProps {
  vpc: IVpc;
  /** Who may read the balancers' metrics. */
  vpcCidr: string;
  /** Who may reach port 1026 of the balancers, as CIDRs; nobody from outside when empty. */
  entryCidrs: string[];
  /** The functions' security group: it alone may probe. */
  probes: SecurityGroup;
}

export class NodeRoles extends Construct {
  readonly roles: Record<Role, IamRole>;
  readonly groups: Record<Role, SecurityGroup>;
  readonly templates: Record<Role, LaunchTemplate>;

  constructor(scope: Construct, id: string, { vpc, vpcCidr, entryCidrs, probes }: NodeRolesProps) {
    super(scope, id);
    const each = <T>(make: (role: Role) => T): Record<Role, T> => ({ lb: make('lb'), orion: make('orion'), mongo: make('mongo') });
    this.roles = each((role) => this.makeRole(role));
    this.groups = each(
      (role) => new SecurityGroup(this, `${role}Group`, { vpc, description: `fiware-ha ${role} nodes`, allowAllOutbound: true }),
    );
    this.templates = each((role) => this.makeTemplate(role));
    this.openPorts(vpcCidr, entryCidrs, probes);
  }

  private makeRole(role: Role): IamRole {
    const iamRole = new IamRole(this, `${role}Role`, {
      assumedBy: new ServicePrincipal('ec2.amazonaws.com'),
      description: `fiware-ha ${role} node: may be managed by SSM${role === 'lb' ? ' and claim its address' : ''}, nothing else`,
      managedPolicies: [ManagedPolicy.fromAwsManagedPolicyName('AmazonSSMManagedInstanceCore')],
      maxSessionDuration: Duration.hours(1),
    });
    // The list has it for documents that name parameters, and ours name none: a node could read every parameter of the account by it.
    iamRole.addToPolicy(
      new PolicyStatement({
        sid: 'NoParameters',
        effect: Effect.DENY,
        actions: ['ssm:GetParameter', 'ssm:GetParameters'],
        resources: ['*'],
      }),
    );
    explainWildcards(iamRole, [WILDCARD.all]);
    Validations.of(iamRole).acknowledge({
      id: `AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/AmazonSSMManagedInstanceCore]`,
      reason: "AWS' own list of what the SSM agent needs; it changes with the agent, so a copy of it would break nodes one day.",
    });
    return iamRole;
  }

  private makeTemplate(role: Role): LaunchTemplate {
    const template = new LaunchTemplate(this, `${role}Template`, {
      machineImage: MachineImage.resolveSsmParameterAtLaunch(UBUNTU_PARAMETER, { os: OperatingSystemType.LINUX }),
      instanceType: new InstanceType('t3.small'),
      role: this.roles[role],
      securityGroup: this.groups[role],
      userData: UserData.custom(userData(role)),
      requireImdsv2: true,
      httpPutResponseHopLimit: 1,
      detailedMonitoring: true,
      blockDevices: [
        {
          deviceName: '/dev/sda1',
          volume: BlockDeviceVolume.ebs(ROOT_VOLUME_GIB, { encrypted: true, volumeType: EbsDeviceVolumeType.GP3 }),
        },
      ],
    });
    Tags.of(template).add('fiware-ha:template', role);
    return template;
  }

  /** A balancer may put its claims on this queue; it is the one thing a node may do beyond being managed. */
  allowClaims(failoverQueue: Queue): void {
    this.roles.lb.addToPolicy(
      new PolicyStatement({ sid: 'ClaimAddress', actions: ['sqs:SendMessage'], resources: [failoverQueue.queueArn] }),
    );
  }

  /** Who may speak to whom: clients to balancers, balancers to brokers, brokers to members, members among themselves, probes to all. */
  private openPorts(vpcCidr: string, entryCidrs: string[], probes: SecurityGroup): void {
    const { lb, orion, mongo } = this.groups;
    for (const cidr of entryCidrs) lb.addIngressRule(Peer.ipv4(cidr), Port.tcp(PORT.orion), 'clients');
    lb.addIngressRule(lb, new Port({ protocol: VRRP_PROTOCOL, stringRepresentation: 'VRRP' }), 'VRRP between the two balancers');
    orion.addIngressRule(lb, Port.tcp(PORT.orion), 'balancers');
    mongo.addIngressRule(orion, Port.tcp(PORT.mongo), 'brokers');
    mongo.addIngressRule(mongo, Port.tcp(PORT.mongo), 'members of the replica set');
    for (const group of [lb, orion, mongo]) group.addIngressRule(probes, Port.tcp(PORT.admin), 'health checks');
    lb.addIngressRule(Peer.ipv4(vpcCidr), Port.tcp(PORT.admin), 'metrics, for whoever collects them inside the VPC');
    orion.addIngressRule(probes, Port.tcp(PORT.orion), 'health checks');
    mongo.addIngressRule(probes, Port.tcp(PORT.mongo), 'health checks');
  }

  /** ARNs of the roles, for `iam:PassRole`. */
  get roleArns(): string[] {
    return ROLES.map((role) => this.roles[role].roleArn);
  }

  /** Launch template ids by role. */
  get templateIds(): Record<Role, string> {
    const idOf = (role: Role) => this.templates[role].launchTemplateId ?? Stack.of(this).stackName;
    return { lb: idOf('lb'), orion: idOf('orion'), mongo: idOf('mongo') };
  }
}
