/** The network: balancers in public subnets, everything else in private ones, the same in each zone. Opens no port. */
import { Fn, RemovalPolicy } from 'aws-cdk-lib';
import { FlowLogDestination, GatewayVpcEndpointAwsService, IpAddresses, SubnetType, Vpc } from 'aws-cdk-lib/aws-ec2';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';

export interface NetworkProps {
  /** Availability zones to use. */
  zones: 2 | 3;
}

/** Subnets of one zone, as the functions need them. */
export interface ZoneSubnets {
  zone: string;
  public: string;
  private: string;
}

export class Network extends Construct {
  readonly vpc: Vpc;
  readonly subnets: ZoneSubnets[];

  constructor(scope: Construct, id: string, { zones }: NetworkProps) {
    super(scope, id);
    const availabilityZones = Array.from({ length: zones }, (_, i) => Fn.select(i, Fn.getAzs()));
    this.vpc = new Vpc(this, 'Vpc', {
      ipAddresses: IpAddresses.cidr('10.64.0.0/16'),
      availabilityZones,
      // One NAT gateway a zone: with a single one, the loss of its zone would blind the health checks of the others.
      natGateways: zones,
      subnetConfiguration: [
        { name: 'entry', subnetType: SubnetType.PUBLIC, cidrMask: 24, mapPublicIpOnLaunch: true },
        { name: 'nodes', subnetType: SubnetType.PRIVATE_WITH_EGRESS, cidrMask: 20 },
      ],
      restrictDefaultSecurityGroup: false,
      gatewayEndpoints: {
        DynamoDb: { service: GatewayVpcEndpointAwsService.DYNAMODB },
        S3: { service: GatewayVpcEndpointAwsService.S3 },
      },
    });
    const logGroup = new LogGroup(this, 'FlowLogGroup', { retention: RetentionDays.ONE_MONTH, removalPolicy: RemovalPolicy.DESTROY });
    this.vpc.addFlowLog('FlowLog', { destination: FlowLogDestination.toCloudWatchLogs(logGroup) });
    this.subnets = this.vpc.publicSubnets.map((subnet, i) => ({
      zone: availabilityZones[i] ?? '',
      public: subnet.subnetId,
      private: this.vpc.privateSubnets[i]?.subnetId ?? '',
    }));
  }
}
