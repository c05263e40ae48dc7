/** SSM from inside the VPC: interface endpoints, and who may speak to them. Grants nothing by itself. */
import { InterfaceVpcEndpointAwsService, type IVpc, Port, SecurityGroup } from 'aws-cdk-lib/aws-ec2';
import { Construct } from 'constructs';

export interface SsmEndpointsProps {
  vpc: IVpc;
  /** Whoever uses SSM in the VPC: with private names, all its calls go through here. */
  clients: SecurityGroup[];
}

/**
 * A balancer that an address has left has no public address any more: its own went when the Elastic IP came.
 * Without these it could not be configured or restarted any more.
 */
export class SsmEndpoints extends Construct {
  constructor(scope: Construct, id: string, { vpc, clients }: SsmEndpointsProps) {
    super(scope, id);
    const group = new SecurityGroup(this, 'Group', { vpc, description: 'fiware-ha: interface endpoints of SSM', allowAllOutbound: false });
    for (const client of clients) group.addIngressRule(client, Port.tcp(443), 'SSM');
    const { SSM, SSM_MESSAGES, EC2_MESSAGES } = InterfaceVpcEndpointAwsService;
    for (const [name, service] of Object.entries({ Ssm: SSM, SsmMessages: SSM_MESSAGES, Ec2Messages: EC2_MESSAGES }))
      vpc.addInterfaceEndpoint(name, { service, securityGroups: [group], open: false });
  }
}
