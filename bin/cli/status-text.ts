/** A cluster's status as lines for people. Values in, text out. */
import { driftWords } from '../../lambdas/core/config-report';
import type { ClusterRow, SlotSummary, StatusSummary } from '../../lambdas/core/memory';
import { warningsOf } from '../../lambdas/core/spec';

/** A status older than this means that checks do not come, ms (a check comes every tick, and is written once a minute at least). */
const OLD_MS = 180_000;

const COLUMNS: { head: string; cell: (slot: SlotSummary, entry: string, nowMs: number) => string }[] = [
  { head: 'SLOT', cell: (slot) => slot.slot },
  { head: 'NODE', cell: (slot) => slot.instanceId ?? '-' },
  { head: 'INC', cell: (slot) => String(slot.incarnation ?? '-') },
  { head: 'ZONE', cell: (slot) => slot.zone ?? '-' },
  { head: 'ADDRESS', cell: (slot, entry) => `${slot.privateIp ?? '-'}${entry}` },
  { head: 'HEALTH', cell: healthText },
  { head: 'CONFIG', cell: configText },
  { head: 'MEMBER', cell: memberText },
];

/** `4f2a1b2`; `4f2a1b2 → 9c0d3e1` where it should run another; `4f2a1b2 somebody edited FILE` where that is so. */
function configText({ configVersion, wantedVersion, drifted }: SlotSummary): string {
  const words = [configVersion?.slice(0, 7) ?? '-'];
  if (wantedVersion) words.push(`→ ${wantedVersion.slice(0, 7)}`);
  if (drifted) words.push(driftWords(drifted));
  return words.join(' ');
}

function healthText(slot: SlotSummary): string {
  const why = [slot.sickness, slot.detail].filter(Boolean).join(': ');
  return why ? `${slot.health} (${why})` : slot.health;
}

function memberText(slot: SlotSummary, _entry: string, nowMs: number): string {
  if (!slot.member) return '';
  return slot.memberSinceMs === undefined ? slot.member : `${slot.member} for ${ageText(nowMs - slot.memberSinceMs)}`;
}

function table(rows: string[][]): string[] {
  const widths = COLUMNS.map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

function slotLines(status: StatusSummary, nowMs: number): string[] {
  const entry = (slot: SlotSummary) => {
    const held = status.addresses.filter((address) => slot.instanceId !== undefined && address.holder === slot.instanceId);
    return held.map((address) => ` = ${address.publicIp}`).join('');
  };
  return table([COLUMNS.map(({ head }) => head), ...status.slots.map((slot) => COLUMNS.map(({ cell }) => cell(slot, entry(slot), nowMs)))]);
}

/** `12 s`, `3 min`, `2 h`. */
export function ageText(ms: number): string {
  const s = Math.max(0, Math.round(ms / 1000));
  if (s < 120) return `${s} s`;
  return s < 7200 ? `${Math.round(s / 60)} min` : `${Math.round(s / 3600)} h`;
}

function stateText(row: ClusterRow): string {
  if (row.phase === 'deleting') return 'being deleted';
  if (!row.status) return 'accepted; no check has looked at it yet';
  if (row.status.converged) return 'as it should be';
  return row.status.blocked.length > 0 ? 'blocked' : 'being worked on';
}

function countsText(row: ClusterRow): string {
  const { lb, orion, mongo } = row.spec;
  return `lb ${lb.count}, orion ${orion.count} (${orion.min} to ${orion.max}), mongo ${mongo.count} (${mongo.replicaSet})`;
}

/** One line a cluster: name, state, how many nodes are healthy, age. */
export function statusSummaryLine(row: ClusterRow, nowMs: number): string {
  const { status } = row;
  if (!status) return `${row.cluster}: ${stateText(row)}`;
  const healthy = status.slots.filter((slot) => slot.health === 'healthy').length;
  return `${row.cluster}: ${stateText(row)}; ${healthy} of ${status.slots.length} nodes healthy; checked ${ageText(nowMs - status.atMs)} ago`;
}

/** Where clients connect: each address and the slot that holds it. */
export function addressLines({ addresses, slots }: StatusSummary): string[] {
  return addresses.map(({ name, publicIp, holder }) => {
    const slot = slots.find(({ instanceId }) => instanceId !== undefined && instanceId === holder)?.slot;
    return `${name} ${publicIp}: ${holder ? `held by ${slot ?? holder}` : 'held by nobody'}`;
  });
}

/** Everything of one cluster: table of slots, addresses, jobs under way with their reasons, what is blocked and why. */
export function statusLines(row: ClusterRow, nowMs: number): string[] {
  const { status } = row;
  const lines = [`${row.cluster}: ${stateText(row)}`, `wanted: ${countsText(row)}`];
  if (!status) return lines;
  const ageMs = nowMs - status.atMs;
  lines.push(
    `checked: ${ageText(ageMs)} ago${ageMs > OLD_MS ? '; checks should come every few seconds: docs/runbook.md#missing-ticks' : ''}`,
  );
  lines.push(`last plan: ${status.sentence}`);
  if (status.replicaSetStep) lines.push(`replica set: ${status.replicaSetStep.replace(/^replica set: /, '')}`);
  for (const { role, text } of status.rollouts ?? []) lines.push(`${role}: ${text}`);
  for (const warning of warningsOf(row.spec)) lines.push(`warning: ${warning}`);
  if (status.slots.length > 0) lines.push('', ...slotLines(status, nowMs));
  const free = status.addresses.filter((address) => !status.slots.some((slot) => slot.instanceId === address.holder));
  for (const { name, publicIp, holder } of free) lines.push(`${name} ${publicIp}: ${holder ? `held by ${holder}` : 'held by nobody'}`);
  if (status.inFlight.length > 0) lines.push('', 'in flight:');
  for (const { kind, reason, plannedAtMs } of status.inFlight) lines.push(`  ${kind}, for ${ageText(nowMs - plannedAtMs)}: ${reason}`);
  if (status.blocked.length > 0) lines.push('', 'blocked:');
  for (const reason of status.blocked) lines.push(`  ${reason}`);
  return lines;
}
