/** The control plane as one construct: joins network, state, workers, schedule and alarms. Another CDK app may use it as it is. */
import { CfnOutput, Stack } from 'aws-cdk-lib';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { type IVpc, SecurityGroup } from 'aws-cdk-lib/aws-ec2';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { ParameterTier, StringParameter } from 'aws-cdk-lib/aws-ssm';
import { Construct } from 'constructs';
import { CONTROL_PLANE_PARAMETER } from '../lambdas/control-plane-parameter';
import { byRole, ROLES, type Role } from '../lambdas/core/names';
import { environmentOf } from '../lambdas/env';
import { functionCode } from './bundle/function-code';
import { CommandDocuments } from './command-documents';
import { JobWorker } from './job-worker';
import { Network } from './network';
import { NodeEndpoints } from './node-endpoints';
import { NodeRoles, UBUNTU_PARAMETER } from './node-roles';
import {
  allowDescribe,
  allowDescribeStatus,
  allowLaunch,
  allowListSpecs,
  allowMoveAddresses,
  allowReadCommands,
  allowReadSpecs,
  allowRemove,
  allowSend,
  allowSendCommands,
  allowTable,
  allowWriteSpecs,
} from './permissions';
import { PlaneAlarms } from './plane-alarms';
import { Schedule } from './schedule';
import { SettingError } from './setting-error';

import { StateTable } from './state-table';
import { explainWildcards, WILDCARD } from './wildcards';

/** What an emulator can't do as AWS does; never set on AWS. */
export interface EmulatorProps {
  /** AMI by role, because public parameters have none there. */
  imageIds: Record<Role, string>;
  /** Source of instance state-change events, because `aws.ec2` can't be used there. */
  eventSource: string;
}

export interface ControlPlaneProps {
  /** Availability zones to spread over: 2 or 3. @default 3 */
  zones?: number;
  /** A VPC that is there already, with a public and a private subnet in each of two or three zones; instead of `zones`. @default a new one */
  vpc?: IVpc;
  /** Seconds between two looks at all clusters: 1 to 60. @default 10 */
  tickEveryS?: number;
  /** Terminations all clusters together may do in ten minutes. @default 10 */
  terminationsPer10Min?: number;
  /**
   * Who may reach what the clusters' balancers offer, as CIDRs; of a VPC that was given also the addresses that its private subnets go
   * out by, for clusters with IoT agents. @default nobody outside
   */
  entryCidrs?: string[];
  /** Ports beside the usual ones of the brokers and the other roles: those where a spec offers a role elsewhere. @default none */
  entryPorts?: number[];
  /** Where alarms go. @default nowhere */
  alarmTopic?: ITopic;
  /** Set by the lab alone. @default AWS */
  emulator?: EmulatorProps;
}

const CIDR = /^\d{1,3}(\.\d{1,3}){3}\/\d{1,2}$/;
/**
 * What CDK reckons with for an ARN that it does not know yet (150 by itself): a role's has 104 characters at most, most have 70. By its
 * own figure it would part a policy that fits in one, and the part is found where nobody looks for it.
 */
const ARN_CHARS = 110;
const PROBE_TIMEOUT_MS = 2_000;

interface CheckedSettings {
  zones: 2 | 3;
  tickEveryS: number;
  terminationsPer10Min: number;
  entryCidrs: string[];
  entryPorts: number[];
}

function checked(props: ControlPlaneProps): CheckedSettings {
  const { zones = 3, tickEveryS = 10, terminationsPer10Min = 10, entryCidrs = [], entryPorts = [] } = props;
  if (props.vpc && props.zones !== undefined)
    throw new SettingError(`zones: expected nothing beside vpc, got ${props.zones}; the zones are those of the VPC's subnets`);
  if (zones !== 2 && zones !== 3)
    throw new SettingError(`zones: expected 2 or 3, got ${zones}; three let a replica set of three lose any one zone`);
  if (!Number.isInteger(tickEveryS) || tickEveryS < 1 || tickEveryS > 60)
    throw new SettingError(`tickEveryS: expected a whole number from 1 to 60, got ${tickEveryS}; 10 is the default`);
  if (!Number.isInteger(terminationsPer10Min) || terminationsPer10Min < 1)
    throw new SettingError(
      `terminationsPer10Min: expected a whole number of at least 1, got ${terminationsPer10Min}; with none nothing could be repaired`,
    );
  const wrong = entryCidrs.find((cidr) => !CIDR.test(cidr));
  if (wrong !== undefined) throw new SettingError(`entryCidrs: expected CIDRs such as 203.0.113.0/24, got ${JSON.stringify(wrong)}`);
  const odd = entryPorts.find((port) => !Number.isInteger(port) || port < 1024 || port > 65535);
  if (odd !== undefined)
    throw new SettingError(
      `entryPorts: expected ports from 1024 to 65535, got ${odd}; name those where specs offer roles elsewhere (enablers.….ports)`,
    );
  return { zones, tickEveryS, terminationsPer10Min, entryCidrs, entryPorts };
}

export class ControlPlane extends Construct {
  readonly healthCheck: JobWorker;
  readonly provision: JobWorker;
  readonly failover: JobWorker;
  readonly table: StateTable;
  readonly nodes: NodeRoles;
  readonly network: Network;

  constructor(scope: Construct, id: string, props: ControlPlaneProps = {}) {
    super(scope, id);
    const settings = checked(props);
    this.node.setContext('@aws-cdk/aws-iam.arnSizeEstimate', ARN_CHARS);
    this.network = new Network(this, 'Network', { zones: settings.zones, vpc: props.vpc });
    const { vpc } = this.network;
    const securityGroup = new SecurityGroup(this, 'FunctionsGroup', { vpc, description: 'fiware-ha functions: probe nodes, call AWS' });
    this.table = new StateTable(this, 'State');
    this.nodes = new NodeRoles(this, 'Nodes', {
      vpc,
      vpcCidr: this.network.cidr,
      entryCidrs: settings.entryCidrs,
      entryPorts: settings.entryPorts,
      natCidrs: this.network.natCidrs,
      probes: securityGroup,
    });
    const nodeGroups = ROLES.map((role) => this.nodes.groups[role]);
    // Its id is as it was with SSM alone: under another, a deployment would make the endpoints twice, and their private names clash.
    if (!props.vpc) new NodeEndpoints(this, 'SsmEndpoints', { vpc, clients: [securityGroup, ...nodeGroups] });
    const documents = new CommandDocuments(this, 'Commands');

    const inVpc = { vpc, securityGroup };
    this.healthCheck = new JobWorker(this, 'HealthCheck', {
      code: functionCode('health-check'),
      timeoutS: 30,
      batchSize: 5,
      maxConcurrency: 20,
      inVpc,
      description: 'fiware-ha: looks at clusters and plans what to do',
    });
    this.provision = new JobWorker(this, 'Provision', {
      code: functionCode('provision'),
      timeoutS: 60,
      batchSize: 1,
      maxConcurrency: 10,
      description: 'fiware-ha: requests of people, launches, terminations, commands on nodes',
    });
    this.failover = new JobWorker(this, 'Failover', {
      code: functionCode('failover'),
      timeoutS: 30,
      batchSize: 1,
      // A zone that is lost takes balancers of many clusters at once; no claim shall wait for the others' looks at dead holders.
      maxConcurrency: 20,
      inVpc,
      description: 'fiware-ha: the only writer of addresses',
    });

    this.setEnvironments(settings, documents, props.emulator);
    this.grant(documents, props.emulator);
    new Schedule(this, 'Schedule', {
      healthCheckQueue: this.healthCheck.queue,
      failoverQueue: this.failover.queue,
      extraSources: props.emulator ? [props.emulator.eventSource] : [],
    });
    this.publish(settings.tickEveryS);

    const alarms = [...this.workers.flatMap((worker) => worker.alarms), ...new PlaneAlarms(this, 'Alarms').alarms];
    const { alarmTopic } = props;
    if (alarmTopic) for (const alarm of alarms) alarm.addAlarmAction(new SnsAction(alarmTopic));
  }

  get workers(): JobWorker[] {
    return [this.healthCheck, this.provision, this.failover];
  }

  /** Each function is told only the queues it may send to: executors nudge, the check alone sends jobs. */
  private setEnvironments(settings: CheckedSettings, documents: CommandDocuments, emulator: EmulatorProps | undefined): void {
    const resolved = `resolve:ssm:${UBUNTU_PARAMETER}`;
    const common = {
      tableName: this.table.table.tableName,
      tickEveryS: settings.tickEveryS,
      terminationsPer10Min: settings.terminationsPer10Min,
      probeTimeoutMs: PROBE_TIMEOUT_MS,
      subnets: this.network.subnets,
      launchTemplates: this.nodes.templateIds,
      imageIds: emulator?.imageIds ?? byRole(() => resolved),
      commandDocuments: emulator ? ('shell' as const) : documents.names,
      placementGroups: emulator ? ('off' as const) : ('on' as const),
    };
    const stringify = (value: unknown) => Stack.of(this).toJsonString(value);
    const nudges = { 'health-check': this.healthCheck.queue.queueUrl };
    const sends = { ...nudges, provision: this.provision.queue.queueUrl, failover: this.failover.queue.queueUrl };
    for (const worker of this.workers) {
      const queueUrls = worker === this.healthCheck ? sends : nudges;
      for (const [name, value] of Object.entries(environmentOf({ ...common, queueUrls }, stringify)))
        worker.function.addEnvironment(name, value);
    }
  }

  private grant(documents: CommandDocuments, emulator: EmulatorProps | undefined): void {
    const { healthCheck, provision, failover } = this;
    const { table } = this.table;
    for (const { role } of this.workers) allowDescribe(role);
    allowDescribeStatus(healthCheck.role);
    allowTable(healthCheck.role, table, ['GetItem', 'PutItem', 'DeleteItem', 'Query', 'BatchGetItem']);
    allowTable(provision.role, table, ['GetItem', 'PutItem', 'UpdateItem', 'DeleteItem', 'Query']);
    allowTable(failover.role, table, ['GetItem', 'PutItem', 'UpdateItem']);
    allowSend(healthCheck.role, [healthCheck.queue, provision.queue, failover.queue]);
    for (const { role } of [provision, failover]) allowSend(role, [healthCheck.queue]);
    allowReadSpecs(healthCheck.role);
    allowListSpecs(healthCheck.role);
    allowReadCommands(healthCheck.role);
    allowReadSpecs(provision.role);
    allowWriteSpecs(provision.role);
    allowSendCommands(provision.role, emulator ? ['AWS-RunShellScript'] : Object.values(documents.names));
    allowLaunch(provision.role, {
      roleArns: this.nodes.roleArns,
      templateIds: Object.values(this.nodes.templateIds),
      subnetIds: this.network.subnets.flatMap((subnet) => [subnet.public, subnet.private]),
      groupIds: ROLES.map((role) => this.nodes.groups[role].securityGroupId),
    });
    allowRemove(provision.role);
    allowMoveAddresses(failover.role);
    this.nodes.allowClaims(failover.queue);
    const { all, specs, instances, addresses, interfaces } = WILDCARD;
    explainWildcards(healthCheck.role, [all, specs]);
    explainWildcards(provision.role, Object.values(WILDCARD));
    explainWildcards(failover.role, [all, instances, addresses, interfaces]);
  }

  /** What the command line looks up, and what a person wants to see after a deployment. */
  private publish(tickEveryS: number): void {
    const { healthCheck, provision, failover } = this;
    const queues = { 'health-check': healthCheck.queue.queueUrl, provision: provision.queue.queueUrl, failover: failover.queue.queueUrl };
    new StringParameter(this, 'Parameter', {
      parameterName: CONTROL_PLANE_PARAMETER,
      description: 'Where the fiware-ha command line finds this control plane',
      stringValue: Stack.of(this).toJsonString({ tableName: this.table.table.tableName, queues, tickEveryS }),
      tier: ParameterTier.STANDARD,
    });
    const output = (id: string, value: string) => new CfnOutput(this, id, { value }).overrideLogicalId(id);
    output('TableName', this.table.table.tableName);
    output('HealthCheckQueueUrl', queues['health-check']);
    output('ProvisionQueueUrl', queues.provision);
    output('FailoverQueueUrl', queues.failover);
    // Names of outputs have no hyphens.
    for (const role of ROLES) output(`NodeRoleArn${role.replaceAll('-', '')}`, this.nodes.roles[role].roleArn);
  }
}
