/** `fiware-ha scale`: asks for another number of nodes of one role. Turns `+2` into a count that holds only while nobody else scales. */
import { Command } from 'commander';
import { readSpec } from '../../lambdas/app/read-spec';
import type { UserJob } from '../../lambdas/core/jobs';
import { ROLES, type Role } from '../../lambdas/core/names';
import { countOf } from '../../lambdas/core/spec';
import { mistake } from '../cli/command-error';
import type { CliContext, OperatorPorts } from '../cli/context';
import { sendMessageExample, withWaiting } from '../cli/options';
import { checkedName, request, type WaitOptions } from '../cli/request';
import { unknownCluster } from '../cli/unknown-cluster';

interface Target {
  role: Role;
  /** `''`: the number is the count; otherwise it is added or taken away. */
  sign: '' | '+' | '-';
  number: number;
}

function isRole(text: string | undefined): text is Role {
  return ROLES.some((role) => role === text);
}

function parseTarget(text: string): Target {
  const [, role, sign, digits] = /^([^=]*)=([+-]?)(\d{1,4})$/.exec(text) ?? [];
  if (isRole(role) && digits !== undefined) return { role, sign: sign === '+' || sign === '-' ? sign : '', number: Number(digits) };
  throw mistake(`target: expected ROLE=COUNT, ROLE one of ${ROLES.join(', ')}, COUNT such as 4, +2 or -1; got ${JSON.stringify(text)}`);
}

async function presentCount(ports: OperatorPorts, cluster: string, role: Role): Promise<number> {
  const [stored, row] = await Promise.all([ports.specs.get(cluster), ports.rows.get(cluster)]);
  const read = stored ? readSpec(cluster, stored.text) : undefined;
  if (read && !read.spec) throw mistake(`the stored spec of ${cluster} is not valid, mend it first: ${read.problems.join('; ')}`);
  const spec = read?.spec ?? row?.spec;
  if (!spec) throw await unknownCluster(ports, cluster);
  return countOf(spec, role);
}

async function jobFor(ports: OperatorPorts, cluster: string, target: Target): Promise<Extract<UserJob, { kind: 'scale' }>> {
  const { role, sign, number } = target;
  if (sign === '') return { kind: 'scale', cluster, role, count: number };
  const now = await presentCount(ports, cluster, role);
  const count = sign === '+' ? now + number : now - number;
  if (count < 0) throw mistake(`target: ${role} is ${now} by now and can't become ${count}`);
  return { kind: 'scale', cluster, role, count, expect: { count: now } };
}

const EXAMPLES = `
A count beyond the spec's bounds (orion.min to orion.max; mongo 1, 3, 5 or 7; lb 1 or 2; others by the
catalogue: fiware-ha recipe roles) is refused; so is a role that the spec does not have;
--wait and \`fiware-ha events\` show the reason. A relative count is worked out from the stored spec
and refused as stale when somebody else scales in between.

Examples:
  fiware-ha scale city orion=4
  fiware-ha scale city orion=+2 --wait
  fiware-ha scale city mongo=5 --wait --json
  fiware-ha scale city iotagent-json=3
${sendMessageExample({ kind: 'scale', cluster: 'city', role: 'orion', count: 4 })}`;

export function scaleCommand(context: CliContext): Command {
  const command = new Command('scale')
    .summary('ask for more or fewer nodes of a role')
    .description('Asks for another number of nodes of one role.')
    .argument('<name>', 'name of the cluster')
    .argument('<target>', 'ROLE=COUNT: orion=4, orion=+2, orion=-1, mongo=5, lb=2, sth-comet=3')
    .addHelpText('after', EXAMPLES);
  return withWaiting(command).action(async (name: string, text: string, options: WaitOptions) => {
    const cluster = checkedName(name);
    const target = parseTarget(text);
    const ports = await context.connect();
    const job = await jobFor(ports, cluster, target);
    await request(
      context,
      ports,
      job,
      options,
      (row) => row !== null && countOf(row.spec, job.role) === job.count && row.status?.converged === true,
    );
  });
}
