/**
 * What EC2 does around an instance and the emulator does not: state-change events, addresses freed by a death, no quick reuse of an address.
 * Decides nothing about the cluster: it only reports and tidies as EC2 would.
 */
import { DescribeAddressesCommand, DisassociateAddressCommand } from '@aws-sdk/client-ec2';
import { PutEventsCommand } from '@aws-sdk/client-eventbridge';
import type { Clients } from './clients';

/** EventBridge refuses sources that begin with `aws.`, so the lab's rule listens to this one as well. */
export const LAB_EVENT_SOURCE = 'fiware-ha.lab';

/** Sends what EC2 sends when an instance changes its state. */
export async function announceState({ events }: Clients, instanceId: string, state: 'running' | 'terminated'): Promise<void> {
  const detail = JSON.stringify({ 'instance-id': instanceId, state });
  const entry = { Source: LAB_EVENT_SOURCE, DetailType: 'EC2 Instance State-change Notification', Detail: detail };
  await events.send(new PutEventsCommand({ Entries: [entry] }));
}

/** Frees the Elastic IPs of an instance that is gone, as EC2 does at termination. */
export async function freeAddresses({ ec2 }: Clients, instanceId: string): Promise<void> {
  const found = await ec2.send(new DescribeAddressesCommand({ Filters: [{ Name: 'instance-id', Values: [instanceId] }] }));
  for (const { AssociationId, InstanceId } of found.Addresses ?? [])
    if (AssociationId && InstanceId === instanceId) await ec2.send(new DisassociateAddressCommand({ AssociationId }));
}
