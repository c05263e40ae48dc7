/** AWS clients of the lab, all speaking to the emulator; credentials are the emulator's root unless others are given. */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EC2Client } from '@aws-sdk/client-ec2';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { SQSClient } from '@aws-sdk/client-sqs';
import { SSMClient } from '@aws-sdk/client-ssm';
import { STSClient } from '@aws-sdk/client-sts';
import { REGION, ROOT_CREDENTIALS } from './emulator';

// The SDK warns of Node 20 at each start; the lab's figures would drown in it.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';

export interface Credentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
}

export interface Clients {
  ec2: EC2Client;
  ssm: SSMClient;
  sqs: SQSClient;
  sts: STSClient;
  events: EventBridgeClient;
  dynamodb: DynamoDBClient;
}

export function makeClients(endpoint: string, credentials: Credentials = ROOT_CREDENTIALS): Clients {
  const config = { endpoint, region: REGION, credentials, maxAttempts: 3 };
  return {
    ec2: new EC2Client(config),
    ssm: new SSMClient(config),
    sqs: new SQSClient(config),
    sts: new STSClient(config),
    events: new EventBridgeClient(config),
    dynamodb: new DynamoDBClient(config),
  };
}
