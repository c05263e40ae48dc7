/** Turns EC2's answers into facts. Reads tags and states, judges nothing; things without our tags are passed over. */
import type { Address, Instance, InstanceNetworkInterface, InstanceStatus, Tag } from '@aws-sdk/client-ec2';
import type { AddressFact, InstanceFact, InstanceState } from '../core/facts';
import { ROLES, type Role, SLOT_NAME, TAG } from '../core/names';

const STATES: ReadonlySet<string> = new Set(['pending', 'running', 'stopping', 'stopped', 'shutting-down', 'terminated']);
const INCARNATION = /^[1-9]\d{0,8}$/;

function tagsOf(tags: Tag[] | undefined): Record<string, string> {
  return Object.fromEntries((tags ?? []).flatMap(({ Key, Value }) => (Key !== undefined && Value !== undefined ? [[Key, Value]] : [])));
}

function isRole(text: string | undefined): text is Role {
  return ROLES.some((role) => role === text);
}

/** EC2's two status checks as one: of the machine and of the host beneath it, the worse one counts. */
export function statusOf({ InstanceStatus, SystemStatus }: InstanceStatus): InstanceFact['status'] {
  const both: readonly (string | undefined)[] = [InstanceStatus?.Status, SystemStatus?.Status];
  for (const status of ['impaired', 'initializing'] as const) if (both.includes(status)) return status;
  return both.every((status) => status === 'ok') ? 'ok' : 'unknown';
}

/** The interface a node is reached at; undefined where the answer lists none, as an emulator's does. */
export function firstInterface({ NetworkInterfaces = [] }: Instance): InstanceNetworkInterface | undefined {
  return NetworkInterfaces.find(({ Attachment }) => Attachment?.DeviceIndex === 0) ?? NetworkInterfaces[0];
}

function secondaryIpsOf({ PrivateIpAddresses = [] }: InstanceNetworkInterface): string[] {
  return PrivateIpAddresses.flatMap(({ Primary, PrivateIpAddress }) => (PrivateIpAddress && !Primary ? [PrivateIpAddress] : [])).sort();
}

/** The fact of one instance; undefined when its tags are not a node's. `zoneOf`: zone by subnet, for emulators that report none. */
export function instanceFact(instance: Instance, status: InstanceFact['status'], zoneOf: Record<string, string>): InstanceFact | undefined {
  const tags = tagsOf(instance.Tags);
  const { [TAG.cluster]: cluster, [TAG.role]: role, [TAG.slot]: slot = '', [TAG.incarnation]: incarnation = '' } = tags;
  const state = instance.State?.Name ?? '';
  if (
    !instance.InstanceId ||
    !cluster ||
    !isRole(role) ||
    !SLOT_NAME.test(slot ?? '') ||
    !INCARNATION.test(incarnation ?? '') ||
    !STATES.has(state)
  )
    return undefined;
  const reachedAt = firstInterface(instance);
  return {
    instanceId: instance.InstanceId,
    cluster,
    role,
    slot,
    incarnation: Number(incarnation),
    zone: zoneOf[instance.SubnetId ?? ''] ?? instance.Placement?.AvailabilityZone ?? '',
    state: state as InstanceState,
    ...(instance.PrivateIpAddress ? { privateIp: instance.PrivateIpAddress } : {}),
    ...(reachedAt ? { secondaryIps: secondaryIpsOf(reachedAt) } : {}),
    launchedAtMs: instance.LaunchTime?.getTime() ?? 0,
    status,
  };
}

/** The fact of one Elastic IP; undefined when it is not a cluster's. */
export function addressFact(address: Address): AddressFact | undefined {
  const tags = tagsOf(address.Tags);
  const { [TAG.cluster]: cluster, [TAG.address]: name } = tags;
  if (!address.AllocationId || !address.PublicIp || !cluster || !name) return undefined;
  return {
    allocationId: address.AllocationId,
    cluster,
    name,
    publicIp: address.PublicIp,
    ...(address.InstanceId ? { holder: address.InstanceId } : {}),
    ...(address.InstanceId && address.PrivateIpAddress ? { privateIp: address.PrivateIpAddress } : {}),
  };
}
