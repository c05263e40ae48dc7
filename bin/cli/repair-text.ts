/** What a person must know before a lost replica set is forced down to its survivors: what is left, the procedure, the risk. Text only. */
import type { ClusterRow, SlotSummary } from '../../lambdas/core/memory';
import { PORT } from '../../lambdas/core/names';
import { ageText } from './status-text';

/** Members that answered the last check as SECONDARY; newest write first. */
export function survivorsOf(row: ClusterRow): SlotSummary[] {
  const slots = row.status?.slots ?? [];
  const left = slots.filter(({ role, member, privateIp }) => role === 'mongo' && privateIp && /^secondary/.test(member ?? ''));
  return left.sort((a, b) => (b.newestWriteS ?? 0) - (a.newestWriteS ?? 0));
}

/** A member as its set names it. */
export function hostOfSlot(slot: SlotSummary): string {
  return `${slot.privateIp}:${PORT.mongo}`;
}

function memberLine(slot: SlotSummary): string {
  const write =
    slot.newestWriteS === undefined ? 'newest write not known' : `newest write ${new Date(slot.newestWriteS * 1000).toISOString()}`;
  return `  ${slot.slot}  ${slot.privateIp ? hostOfSlot(slot) : '-'}  ${slot.health}, ${slot.member ?? 'no node'}; ${write}`;
}

/** The whole text, one string a line. */
export function repairLines(row: ClusterRow, nowMs: number): string[] {
  const { cluster, status } = row;
  const survivors = survivorsOf(row);
  const [target] = survivors;
  const lines = [
    `${cluster}: the majority of ${row.spec.mongo.replicaSet} is lost. Nothing has been changed.`,
    '',
    `known, ${status ? ageText(nowMs - status.atMs) : '?'} ago:`,
    ...(status?.slots ?? []).filter(({ role }) => role === 'mongo').map(memberLine),
    '',
    'first, without any loss: bring lost members back. Start stopped instances, mend security groups, routes and zones.',
    'As soon as a majority answers, the set elects a primary by itself and the control plane does the rest.',
    '',
  ];
  if (!target) return [...lines, 'No member answers as SECONDARY: there is no survivor to go on with (docs/runbook.md#majority-lost).'];
  const hosts = JSON.stringify(survivors.map(hostOfSlot));
  return [
    ...lines,
    'the risk: a forced configuration gives the lost members up. Writes that only they hold are LOST, also writes that clients',
    'were told a majority had; should those members come back, they roll these writes back. The version jumps by 10,000 and more.',
    '',
    `by hand, on ${target.slot}, the survivor with the newest write:`,
    `  aws ec2 create-snapshots --instance-specification InstanceId=${target.instanceId} --description 'before the forced reconfig of ${cluster}'`,
    `  aws ssm start-session --target ${target.instanceId}`,
    '  mongosh',
    '  rs.status().members.map(m => [m.name, m.stateStr, m.health, m.optime])   // before: no PRIMARY, the lost ones have health 0',
    `  const living = ${hosts}`,
    '  const config = rs.conf()',
    '  config.members = config.members.filter(m => living.includes(m.host))',
    '  rs.reconfig(config, { force: true })',
    '  rs.status().members.map(m => [m.name, m.stateStr])                       // after: only survivors, one of them PRIMARY',
    '',
    'the same by the control plane, which looks again first and journals it:',
    `  fiware-ha repair-majority ${cluster} --confirm ${cluster} --wait`,
  ];
}
