/**
 * The one place that knows what the lab's emulator (ministack) can't hold: such resources are taken out of the template, and said.
 *
 * Context keys of the lab (`cdk deploy -c KEY=VALUE`):
 * - `fiware-ha:lab`: `true` switches the lab on; never set it for AWS.
 * - `fiware-ha:imageIds`: JSON, AMI by role, as registered with the emulator: {"lb":"ami-1","orion":"ami-1", …}.
 * - `fiware-ha:tickEveryS`, `fiware-ha:zones`, `fiware-ha:terminationsPer10Min`, `fiware-ha:entryCidrs`, `fiware-ha:entryPorts`: as on AWS.
 * State-change events come from the source LAB_EVENT_SOURCE. The list of what was taken out is printed at synth, to stderr,
 * one line `taken out for the emulator: TYPE (N)` a type.
 */
import { CfnResource, type IAspect, Stack } from 'aws-cdk-lib';
import { CfnRoute, Vpc } from 'aws-cdk-lib/aws-ec2';
import { CfnPolicy } from 'aws-cdk-lib/aws-iam';
import { CfnQueuePolicy } from 'aws-cdk-lib/aws-sqs';
import type { IConstruct } from 'constructs';
import { POLICY_ON_AWS, relaxForEmulator, type Statement } from './emulator-policies';

/** EventBridge, and the emulator with it, refuses events of others under `aws.` names. */
export const LAB_EVENT_SOURCE = 'fiware-ha.lab';

/** Types whose absence changes nothing the lab shows; the emulator fails a whole template for any type it does not know. */
const UNKNOWN_TYPES: ReadonlySet<string> = new Set([
  'AWS::EC2::EIP',
  'AWS::EC2::NatGateway',
  'AWS::EC2::FlowLog',
  'AWS::EC2::SecurityGroupIngress',
  'AWS::EC2::SecurityGroupEgress',
  'AWS::EC2::PlacementGroup',
  'AWS::SSM::Document',
  'AWS::CloudWatch::CompositeAlarm',
]);

/** Takes out what the emulator does not know. Routes through NAT gateways lead to the internet gateway instead. */
export class TakeOutForEmulator implements IAspect {
  readonly taken = new Map<string, number>();

  visit(node: IConstruct): void {
    if (!(node instanceof CfnResource)) return;
    if (node instanceof CfnQueuePolicy) this.allowPlainHttp(node);
    else if (node instanceof CfnPolicy) this.relaxPolicy(node);
    else if (node instanceof CfnRoute && node.natGatewayId) this.rerouteToInternet(node);
    else if (UNKNOWN_TYPES.has(node.cfnResourceType) && node.node.scope?.node.tryRemoveChild(node.node.id)) this.note(node.cfnResourceType);
  }

  private rerouteToInternet(route: CfnRoute): void {
    const vpc = route.node.scopes.find((scope): scope is Vpc => scope instanceof Vpc);
    route.natGatewayId = undefined;
    route.gatewayId = vpc?.internetGatewayId;
    this.note('the NAT gateways of AWS::EC2::Route');
  }

  private note(what: string): void {
    this.taken.set(what, (this.taken.get(what) ?? 0) + 1);
  }

  /** The emulator speaks plain HTTP, and would deny it where a policy asks for TLS. */
  private allowPlainHttp(policy: CfnQueuePolicy): void {
    const document = Stack.of(policy).resolve(policy.policyDocument) as {
      Statement?: { Condition?: { Bool?: Record<string, unknown> } }[];
    };
    const statements = document.Statement ?? [];
    const kept = statements.filter((statement) => statement.Condition?.Bool?.['aws:SecureTransport'] === undefined);
    if (kept.length === statements.length) return;
    this.note('AWS::SQS::QueuePolicy statement that asks for TLS');
    if (kept.length === 0) policy.node.scope?.node.tryRemoveChild(policy.node.id);
    else policy.addPropertyOverride('PolicyDocument.Statement', kept);
  }

  private relaxPolicy(policy: CfnPolicy): void {
    const document = Stack.of(policy).resolve(policy.policyDocument) as { Statement?: Statement[] };
    const { statements, conditions, widened } = relaxForEmulator(document.Statement ?? []);
    if (conditions + widened.length === 0) return;
    for (let i = 0; i < conditions; i++) this.note('AWS::IAM::Policy condition on tags');
    for (const action of widened) this.note(`AWS::IAM::Policy resource of ${action}`);
    policy.addMetadata(POLICY_ON_AWS, document.Statement);
    policy.addPropertyOverride('PolicyDocument.Statement', statements);
  }

  /** One line a type. */
  lines(): string[] {
    return [...this.taken].sort().map(([type, count]) => `taken out for the emulator: ${type} (${count})`);
  }
}
