/** What nodes reach without a public address: interface endpoints in the VPC, and who may speak to them. Grants nothing by itself. */
import { InterfaceVpcEndpointAwsService, type IVpc, Port, SecurityGroup } from 'aws-cdk-lib/aws-ec2';
import { Construct } from 'constructs';

export interface NodeEndpointsProps {
  vpc: IVpc;
  /** Whoever uses these services in the VPC: with private names, all its calls go through here. */
  clients: SecurityGroup[];
}

/**
 * A balancer that an address has left has no public address any more: its own went when the Elastic IP came.
 * Without these it could neither be configured or restarted (SSM) nor claim the address again (SQS).
 */
export class NodeEndpoints extends Construct {
  constructor(scope: Construct, id: string, { vpc, clients }: NodeEndpointsProps) {
    super(scope, id);
    const group = new SecurityGroup(this, 'Group', { vpc, description: 'fiware-ha: interface endpoints of SSM', allowAllOutbound: false });
    for (const client of clients) group.addIngressRule(client, Port.tcp(443), 'SSM');
    const { SSM, SSM_MESSAGES, EC2_MESSAGES, SQS } = InterfaceVpcEndpointAwsService;
    for (const [name, service] of Object.entries({ Ssm: SSM, SsmMessages: SSM_MESSAGES, Ec2Messages: EC2_MESSAGES, Sqs: SQS }))
      vpc.addInterfaceEndpoint(name, { service, securityGroups: [group], open: false });
  }
}
