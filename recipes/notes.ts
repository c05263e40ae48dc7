/** What the READMEs of all recipes say of the roles they render: versions, remarks, ports. Text out, from the catalogue. */
import { type MongoSeries, referenceOf } from '../lambdas/core/catalogue/versions';
import type { ClusterSpec } from '../lambdas/core/spec';
import { type Part, partsOf } from './cluster';

function row({ entry, count, version, ports }: Part): string {
  const offered = entry.frontends.map((name) => `${ports[name] ?? entry.ports[name]}`).join(', ');
  const mode = entry.backend === 'active-passive' ? `one active, ${count - 1} waiting` : `all ${count} in turn`;
  const tested = referenceOf(entry.name, version);
  return `| ${entry.title} | ${version} | ${count} | ${offered} | ${mode} | ${tested ? tested.mongo : '?'} |`;
}

/** The table of roles. */
export function roleTable(spec: ClusterSpec): string {
  return `| role | version | count | ports at the balancers | balanced | made for MongoDB |
| --- | --- | --- | --- | --- | --- |
${partsOf(spec).map(row).join('\n')}
`;
}

/** What one must know of each role before relying on it. */
export function roleNotes(spec: ClusterSpec): string {
  return partsOf(spec)
    .map(({ entry }) =>
      [
        `### ${entry.title}`,
        '',
        `- Restart: ${entry.restart.rule}.`,
        `- Too much to do: ${entry.health.overload}.`,
        `- Before it is stopped: ${entry.drain.rule} (${entry.drain.waitS} s).`,
        ...entry.remarks.map((remark) => `- ${remark}`),
        '',
      ].join('\n'),
    )
    .join('\n');
}

/** What is asked of whom, and what the answer means; a balancer of connections asks for none of it. */
export function healthNotes(spec: ClusterSpec, protocol = spec.entry.protocol): string {
  const unfit =
    protocol === 'http'
      ? 'gets no requests while another one has it'
      : 'gets its share of the connections all the same, because a balancer of connections sees only that somebody accepts them';
  const rows = partsOf(spec).map(
    ({ entry: { title, health } }) =>
      `| ${title} | \`${health.process.path}\` | ${health.truth ? `\`${health.truth.path}\`` : 'nothing tells'} |`,
  );
  return `| role | process lives | database within reach as well |
| --- | --- | --- |
${rows.join('\n')}

A process that is dead is restarted or replaced. One that lost its database is left alone, and ${unfit}.
One that is slow is never restarted for it: that is a reason for more of them.
`;
}

/** What a recipe leaves to people. */
export function limits(series: MongoSeries): string {
  return `MongoDB ${series} runs without authentication, and nothing is encrypted: keep the network of the members to brokers and members, and
put a proxy with TLS and authentication before the balancers where clients are not yours. Replication is no backup.
`;
}
