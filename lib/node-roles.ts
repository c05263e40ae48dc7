/** What instances of each role are launched with: IAM role, security group, launch template. Launches nothing. */
import { Annotations, Duration, Stack, Tags, Validations } from 'aws-cdk-lib';
import {
  BlockDeviceVolume,
  CfnSecurityGroupIngress,
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
import { CATALOGUE, serviceEntry } from '../lambdas/core/catalogue/catalogue';
import type { PortName, RoleEntry } from '../lambdas/core/catalogue/role-entry';
import { byRole, PORT, ROLES, type Role, SERVICE_ROLES } from '../lambdas/core/names';
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
  /** Who may reach what the balancers offer, as CIDRs; nobody from outside when empty. */
  entryCidrs: string[];
  /** Ports that balancers offer beside the usual ones of the catalogue. */
  entryPorts: number[];
  /** Where nodes come from when they reach the brokers and each other by the balancers' public address. */
  natCidrs: string[];
  /** The functions' security group: it alone may probe. */
  probes: SecurityGroup;
}

/** The ports of a role's process that some of its places name. */
function portsOf({ ports }: RoleEntry, names: readonly (PortName | undefined)[]): number[] {
  const numbers = names.flatMap((name) => (name === undefined ? [] : (ports[name] ?? [])));
  return [...new Set(numbers)];
}

/** Where it is asked how it is. */
function probedPorts(entry: RoleEntry): number[] {
  return portsOf(entry, [entry.health.process.port, entry.health.truth?.port]);
}

/** EC2's limit of rules a security group, unless it was raised. */
const RULES_MAX = 60;

export class NodeRoles extends Construct {
  readonly roles: Record<Role, IamRole>;
  readonly groups: Record<Role, SecurityGroup>;
  readonly templates: Record<Role, LaunchTemplate>;

  constructor(scope: Construct, id: string, props: NodeRolesProps) {
    super(scope, id);
    const { vpc } = props;
    this.roles = byRole((role) => this.makeRole(role));
    this.groups = byRole(
      (role) => new SecurityGroup(this, `${role}Group`, { vpc, description: `fiware-ha ${role} nodes`, allowAllOutbound: true }),
    );
    this.templates = byRole((role) => this.makeTemplate(role));
    this.openEntry(props);
    this.openServices(props);
    this.openMembers(props);
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

  /**
   * Clients to balancers, at the usual ports of all that the catalogue offers and those that were named beside them; nodes too, which
   * come by the NAT gateways. A port where no role of a cluster is offered has nobody who listens.
   */
  private openEntry({ vpcCidr, entryCidrs, entryPorts, natCidrs, probes }: NodeRolesProps): void {
    const { lb } = this.groups;
    const offered = [...new Set([...CATALOGUE.flatMap((entry) => portsOf(entry, entry.frontends)), ...entryPorts])];
    for (const cidr of entryCidrs) for (const port of offered) lb.addIngressRule(Peer.ipv4(cidr), Port.tcp(port), 'clients');
    for (const [i, cidr] of natCidrs.entries()) for (const port of offered) this.letIn(`Nat${i}On${port}`, cidr, port);
    lb.addIngressRule(lb, new Port({ protocol: VRRP_PROTOCOL, stringRepresentation: 'VRRP' }), 'VRRP between the two balancers');
    lb.addIngressRule(probes, Port.tcp(PORT.admin), 'health checks');
    lb.addIngressRule(Peer.ipv4(vpcCidr), Port.tcp(PORT.admin), 'metrics, for whoever collects them inside the VPC');
    const rules = (entryCidrs.length + natCidrs.length) * offered.length + 3;
    if (rules > RULES_MAX)
      Annotations.of(this).addWarningV2(
        'fiware-ha:entry-rules',
        `entryCidrs: ${entryCidrs.length} CIDRs and ${natCidrs.length} NAT gateways times ${offered.length} ports make ${rules} rules, a security group takes ${RULES_MAX}; name fewer and wider CIDRs, or have the quota raised first`,
      );
  }

  /**
   * One address that is known after the deployment alone. A rule of its own: cdk-nag can't read such an address, and what is acknowledged
   * here would else hold for the clients' rules as well. Emulators, which lack the addresses, lose these rules with them.
   */
  private letIn(id: string, cidrIp: string, port: number): void {
    const groupId = this.groups.lb.securityGroupId;
    const description = 'nodes, by NAT gateway';
    const rule = new CfnSecurityGroupIngress(this, id, { groupId, cidrIp, ipProtocol: 'tcp', fromPort: port, toPort: port, description });
    Validations.of(rule).acknowledge({
      id: 'AwsSolutions-EC23',
      reason:
        "The rule's source is one address, that of a NAT gateway, written /32; cdk-nag refuses what it can't read before the deployment.",
    });
  }

  /** Balancers to what they offer and ask; probes to what tells how a process is. */
  private openServices({ probes }: NodeRolesProps): void {
    const { lb } = this.groups;
    for (const role of SERVICE_ROLES) {
      const entry = serviceEntry(role);
      const group = this.groups[role];
      for (const port of new Set([...portsOf(entry, entry.frontends), ...probedPorts(entry)]))
        group.addIngressRule(lb, Port.tcp(port), 'balancers');
      for (const port of new Set([PORT.admin, ...probedPorts(entry)])) group.addIngressRule(probes, Port.tcp(port), 'health checks');
    }
  }

  /** Whoever needs the replica set to its members, and they among themselves. */
  private openMembers({ probes }: NodeRolesProps): void {
    const { mongo } = this.groups;
    for (const role of SERVICE_ROLES) {
      const { needs, title } = serviceEntry(role);
      if (needs.replicaSet) mongo.addIngressRule(this.groups[role], Port.tcp(PORT.mongo), title);
    }
    mongo.addIngressRule(mongo, Port.tcp(PORT.mongo), 'members of the replica set');
    for (const port of [PORT.admin, PORT.mongo]) mongo.addIngressRule(probes, Port.tcp(port), 'health checks');
  }

  /** ARNs of the roles, for `iam:PassRole`. */
  get roleArns(): string[] {
    return ROLES.map((role) => this.roles[role].roleArn);
  }

  /** Launch template ids by role. */
  get templateIds(): Record<Role, string> {
    return byRole((role) => this.templates[role].launchTemplateId ?? Stack.of(this).stackName);
  }
}
