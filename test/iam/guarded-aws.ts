/** A fake AWS whose policies are asked before it answers: what the simulator refuses, it refuses in the words of the real service. */
import { createHash } from 'node:crypto';
import { ASKED, type Authorization, type World } from '../../lab/iam/authorizations';
import type { Statement } from '../../lab/iam/deployment';
import { isAllowed } from '../../lab/iam/verdicts';
import { refusal } from '../../lab/iam/wire';
import type { Ports, Telemetry } from '../../lambdas/app/ports';
import { placementGroupName, ROLES, TAG } from '../../lambdas/core/names';
import { parseEnvironment } from '../../lambdas/env';
import { makeContext } from '../../lambdas/runtime';
import { type Answer, type Call, type FakeAws, fakeAws, json, stopFakes, xml, xmlError } from '../aws/fake-aws';
import { REGION, Synthesized, type Worker } from './deployment';

/** Tags of a node of a cluster. */
function nodeTags(cluster: string): Record<string, string> {
  return { [TAG.cluster]: cluster, [TAG.role]: 'lb', [TAG.slot]: 'lb1', [TAG.incarnation]: '1' };
}

/** What stands in the account: things of the cluster `city`, of nobody, and of another account. */
const STANDING: World['standing'] = {
  'i-0aaa': { tags: nodeTags('city'), interfaceId: 'eni-0aaa' },
  'i-0fff': { tags: { Name: 'somebody else’s' }, interfaceId: 'eni-0fff' },
  'i-0eee': { tags: nodeTags('city'), owner: '999988887777' },
  'eni-0aaa': { tags: nodeTags('city') },
  'eni-0fff': { tags: {} },
  'eipalloc-0aaa': { tags: { [TAG.cluster]: 'city', [TAG.address]: 'entry1' } },
  'eipassoc-0aaa': { tags: {}, associates: { allocationId: 'eipalloc-0aaa', instanceId: 'i-0aaa' } },
  'eipassoc-0fff': { tags: {}, associates: { allocationId: 'eipalloc-0fff', instanceId: 'i-0aaa' } },
  'eipassoc-0eee': { tags: {}, associates: { allocationId: 'eipalloc-0eee', instanceId: 'i-0aaa' } },
  'eipalloc-0fff': { tags: {} },
  'eipalloc-0eee': { tags: { [TAG.cluster]: 'city', [TAG.address]: 'entry1' }, owner: '999988887777' },
  ...Object.fromEntries(ROLES.map((role) => [placementGroupName('city', role), { tags: { [TAG.cluster]: 'city' } }])),
  'fiware-ha-theirs-lb': { tags: {} },
};

function tagSet(tags: Record<string, string>): string {
  return `<tagSet>${Object.entries(tags)
    .map(([key, value]) => `<item><key>${key}</key><value>${value}</value></item>`)
    .join('')}</tagSet>`;
}

function instanceXml(id = 'i-0aaa'): string {
  const { tags, interfaceId } = STANDING[id] ?? { tags: {} };
  return `<item><instanceId>${id}</instanceId><instanceState><code>16</code><name>running</name></instanceState>
  <launchTime>2026-01-05T03:00:00.000Z</launchTime><placement><availabilityZone>${REGION}a</availabilityZone></placement>
  <networkInterfaceSet><item><networkInterfaceId>${interfaceId}</networkInterfaceId></item></networkInterfaceSet>${tagSet(tags)}</item>`;
}

function addressesXml(form: Record<string, string>): Answer {
  const ids = form['AllocationId.1'] ? [form['AllocationId.1']] : [];
  const items = ids.map(
    (id) => `<item><allocationId>${id}</allocationId><publicIp>203.0.113.9</publicIp><instanceId>i-0aaa</instanceId>
      <associationId>${id.replace('eipalloc', 'eipassoc')}</associationId>${tagSet(STANDING[id]?.tags ?? {})}</item>`,
  );
  return xml('DescribeAddresses', `<addressesSet>${items.join('')}</addressesSet>`);
}

/** By the name alone, so that the tag is asked of the policies. */
function groupsXml(form: Record<string, string>): Answer {
  const prefix = `fiware-ha-${form['Filter.1.Value.1']}-`;
  const names = Object.keys(STANDING).filter((name) => name.startsWith(prefix));
  const items = names.map((name) => `<item><groupName>${name}</groupName></item>`);
  return xml('DescribePlacementGroups', `<placementGroupSet>${items.join('')}</placementGroupSet>`);
}

/** How the account answers what it allows. */
function answerOf({ operation, form, json: input }: Call): Answer {
  switch (operation) {
    case 'DescribeInstances':
      return xml(
        operation,
        `<reservationSet><item><instancesSet>${instanceXml(form['InstanceId.1'])}</instancesSet></item></reservationSet>`,
      );
    case 'DescribeInstanceStatus':
      return xml(operation, '<instanceStatusSet/>');
    case 'DescribeAddresses':
      return addressesXml(form);
    case 'DescribePlacementGroups':
      return groupsXml(form);
    case 'RunInstances':
      return xml(operation, `<instancesSet>${instanceXml()}</instancesSet>`);
    case 'AllocateAddress':
      return xml(operation, '<publicIp>203.0.113.5</publicIp><allocationId>eipalloc-5</allocationId>');
    case 'GetParameter':
      return json({ Parameter: { Value: '{}', Version: 1 } });
    case 'PutParameter':
      return json({ Version: 2 });
    case 'GetParametersByPath':
      return json({ Parameters: [{ Name: '/fiware-ha/clusters/city/spec' }] });
    case 'SendCommand':
      return json({ Command: { CommandId: 'c-1' } });
    case 'GetCommandInvocation':
      return json({ Status: 'InProgress' });
    case 'SendMessage':
      return json({ MessageId: 'm', MD5OfMessageBody: createHash('md5').update(String(input.MessageBody)).digest('hex') });
    default:
      return form.Action ? xml(operation, '<return>true</return>') : json({});
  }
}

/** The session name of a function's credentials is the function's own name, 64 characters at most. */
function sessionOf(roleArn: string): string {
  return `${roleArn.replace(':iam:', ':sts:').replace(':role/', ':assumed-role/')}/${'FiwareHa-ControlPlane'.padEnd(64, 'x')}`;
}

export interface Guarded {
  ports: Ports;
  /** What was asked of the policies, in order, and whether they allowed it. */
  asked: { authorization: Authorization; allowed: boolean }[];
}

const SILENT: Telemetry = { info: () => {}, warn: () => {}, error: () => {}, count: () => {} };

/** One AWS for all tests of a file; `as` makes the ports of a worker, with the statements it has. */
export class GuardedAws {
  private readonly outside = { ...process.env };
  private principal = '';
  private statements: readonly Statement[] = [];
  private asked: Guarded['asked'] = [];
  private readonly portsOf = new Map<Worker, Ports>();

  private constructor(
    fake: FakeAws,
    readonly deployment: Synthesized,
  ) {
    const { endpoint, region, credentials } = fake.client;
    Object.assign(process.env, {
      AWS_ENDPOINT_URL: endpoint,
      AWS_REGION: region,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    });
  }

  static async start(): Promise<GuardedAws> {
    const holder: { aws?: GuardedAws } = {};
    const fake = await fakeAws((call) => holder.aws?.answer(call) ?? xmlError('NotReady'));
    holder.aws = new GuardedAws(fake, new Synthesized(fake.client.endpoint));
    return holder.aws;
  }

  async stop(): Promise<void> {
    process.env = this.outside;
    await stopFakes();
  }

  private async answer(call: Call): Promise<Answer> {
    try {
      const rule = ASKED[call.operation];
      if (!rule) throw new Error(`test/iam/authorizations.ts has no row for ${call.operation}`);
      for (const authorization of rule(call, this.deployment.worldWith(STANDING))) {
        const allowed = await isAllowed(this.principal, this.statements, authorization);
        this.asked.push({ authorization, allowed });
        if (!allowed) return refusal(call, sessionOf(this.principal), authorization);
      }
      return answerOf(call);
    } catch (error) {
      // Whoever called sees it fail, and not as a refusal.
      return call.form.Action
        ? xmlError('NotUnderstood', 400, String(error))
        : json({ __type: 'NotUnderstood', message: String(error) }, 400);
    }
  }

  /** The ports of a worker over its own environment; from now on its statements are what counts. */
  as(worker: Worker, statements = this.deployment.statementsOf(worker)): Guarded {
    this.principal = this.deployment.roleArn(worker);
    this.statements = statements;
    this.asked = [];
    const ports = this.portsOf.get(worker) ?? makeContext(parseEnvironment(this.deployment.environmentOf(worker)), SILENT).ports;
    this.portsOf.set(worker, ports);
    return { ports, asked: this.asked };
  }
}
