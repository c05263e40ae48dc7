/** The network: balancers in public subnets, everything else in private ones, the same in each zone. Opens no port. */
import { Fn, RemovalPolicy } from 'aws-cdk-lib';
import { CfnEIP, FlowLogDestination, GatewayVpcEndpointAwsService, IpAddresses, type IVpc, SubnetType, Vpc } from 'aws-cdk-lib/aws-ec2';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { SettingError } from './setting-error';

export interface NetworkProps {
  /** Availability zones of a VPC made here. */
  zones: 2 | 3;
  /**
   * A VPC that is there already, with a public subnet and a private one with a way out in each of two or three zones,
   * and interface endpoints of its own for ssm, ssmmessages, ec2messages and sqs. The addresses its private subnets go out by belong
   * into `entryCidrs`: nodes reach the brokers by the balancers' public address.
   */
  vpc?: IVpc;
}

/** Subnets of one zone, as the functions need them. */
export interface ZoneSubnets {
  zone: string;
  public: string;
  private: string;
}

/** One public and one private subnet a zone. @throws where a VPC has no two or three such zones, naming those it has */
function pairSubnets({ publicSubnets, privateSubnets }: IVpc): ZoneSubnets[] {
  const pairs = new Map<string, ZoneSubnets>();
  for (const { availabilityZone: zone, subnetId } of publicSubnets) {
    const inside = privateSubnets.find((subnet) => subnet.availabilityZone === zone);
    if (inside && !pairs.has(zone)) pairs.set(zone, { zone, public: subnetId, private: inside.subnetId });
  }
  if (pairs.size === 2 || pairs.size === 3) return [...pairs.values()];
  const zones = [...pairs.keys()].join(', ') || 'none';
  throw new SettingError(
    `vpc: expected a public subnet and a private one with egress in each of two or three zones, found them in: ${zones}; add the missing ones, or leave vpc out to have one made`,
  );
}

/** One a NAT gateway that was made here. */
function natCidrs({ publicSubnets }: IVpc): string[] {
  return publicSubnets.flatMap(({ node }) => {
    const address = node.tryFindChild('EIP');
    return address instanceof CfnEIP ? [`${address.ref}/32`] : [];
  });
}

/** Of a VPC made here. */
const CIDR = '10.64.0.0/16';

export class Network extends Construct {
  readonly vpc: IVpc;
  readonly subnets: ZoneSubnets[];
  /** All private addresses of the VPC. */
  readonly cidr: string;
  /** The public addresses that private subnets go out by, as CIDRs of one; none are known of a VPC that was given. */
  readonly natCidrs: string[];

  constructor(scope: Construct, id: string, { zones, vpc }: NetworkProps) {
    super(scope, id);
    this.vpc = vpc ?? this.makeVpc(zones);
    this.subnets = pairSubnets(this.vpc);
    this.cidr = vpc?.vpcCidrBlock ?? CIDR;
    this.natCidrs = vpc ? [] : natCidrs(this.vpc);
  }

  private makeVpc(zones: number): Vpc {
    const vpc = new Vpc(this, 'Vpc', {
      ipAddresses: IpAddresses.cidr(CIDR),
      availabilityZones: Array.from({ length: zones }, (_, i) => Fn.select(i, Fn.getAzs())),
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
    vpc.addFlowLog('FlowLog', { destination: FlowLogDestination.toCloudWatchLogs(logGroup) });
    return vpc;
  }
}
