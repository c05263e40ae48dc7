import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from '@jest/globals';
import { type AddressWatch, type SeenAddress, watchAddresses } from '../../lab/address-watch';
import { makeClients } from '../../lab/clients';
import { sleep } from '../../lab/run-command';
import { TAG } from '../../lambdas/core/names';

interface Held {
  name: string;
  publicIp: string;
  instanceId?: string;
}

/** An EC2 that knows addresses and instances alone, and counts what it is asked; `fails` makes it answer 400. */
class SmallEc2 {
  held: Held[] = [];
  privateIps: Record<string, string> = {};
  fails = '';
  readonly asked: Record<string, number> = {};
  private readonly server: Server;

  constructor() {
    this.server = createServer(async (request, response) => {
      const form = new URLSearchParams(await text(request));
      const action = form.get('Action') ?? '';
      this.asked[action] = (this.asked[action] ?? 0) + 1;
      if (this.fails) {
        const error = `<Response><Errors><Error><Code>AuthFailure</Code><Message>${this.fails}</Message></Error></Errors></Response>`;
        return void response.writeHead(400, { 'content-type': 'text/xml' }).end(error);
      }
      const answer = action === 'DescribeAddresses' ? this.addresses() : this.instances(form.get('InstanceId.1') ?? '');
      response.writeHead(200, { 'content-type': 'text/xml' }).end(`<${action}Response>${answer}</${action}Response>`);
    });
  }

  private addresses(): string {
    const tagOf = (name: string) => `<tagSet><item><key>${TAG.address}</key><value>${name}</value></item></tagSet>`;
    const items = this.held.map(
      ({ name, publicIp, instanceId }) =>
        `<item><publicIp>${publicIp}</publicIp>${instanceId ? `<instanceId>${instanceId}</instanceId>` : ''}${tagOf(name)}</item>`,
    );
    return `<addressesSet>${items.join('')}</addressesSet>`;
  }

  private instances(id: string): string {
    const ip = this.privateIps[id];
    if (!ip) return '<reservationSet/>';
    const instance = `<item><instanceId>${id}</instanceId><privateIpAddress>${ip}</privateIpAddress></item>`;
    return `<reservationSet><item><instancesSet>${instance}</instancesSet></item></reservationSet>`;
  }

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.server.closeAllConnections();
    this.server.close();
  }
}

let ec2: SmallEc2;
let watch: AddressWatch | undefined;

/** Starts watching; answers what was seen last, and what was said. */
async function watching() {
  const seen: { last?: readonly SeenAddress[] } = {};
  const said: string[] = [];
  const clients = makeClients(await ec2.start());
  const onSeen = async (addresses: readonly SeenAddress[]) => {
    seen.last = addresses;
  };
  watch = watchAddresses(clients, { everyMs: 5, onSeen, say: (line) => said.push(line) });
  const until = async (isSo: () => boolean) => {
    for (let tries = 0; tries < 500 && !isSo(); tries++) await sleep(10);
    expect(isSo()).toBe(true);
  };
  return { seen, said, until };
}

afterEach(async () => {
  await watch?.stop();
  ec2.stop();
});

describe('the watch of the Elastic IPs', () => {
  it('tells every address with the private one of its holder, and asks for an instance once', async () => {
    ec2 = new SmallEc2();
    ec2.held = [
      { name: 'entry1', publicIp: '198.51.100.1', instanceId: 'i-1' },
      { name: 'entry2', publicIp: '198.51.100.2' },
    ];
    ec2.privateIps = { 'i-1': '10.0.0.1', 'i-2': '10.0.0.2' };
    const { seen, until } = await watching();
    const before = [
      { name: 'entry1', publicIp: '198.51.100.1', privateIp: '10.0.0.1' },
      { name: 'entry2', publicIp: '198.51.100.2', privateIp: null },
    ];
    await until(() => (ec2.asked.DescribeAddresses ?? 0) > 5);
    expect(seen.last).toEqual(before);
    expect(ec2.asked.DescribeInstances).toBe(1);
    ec2.held = [{ name: 'entry1', publicIp: '198.51.100.1', instanceId: 'i-2' }];
    await until(() => seen.last?.[0]?.privateIp === '10.0.0.2');
    expect(seen.last).toHaveLength(1);
  });

  it('tells nothing while it can not look, and says why once', async () => {
    ec2 = new SmallEc2();
    ec2.held = [{ name: 'entry1', publicIp: '198.51.100.1', instanceId: 'i-1' }];
    ec2.privateIps = { 'i-1': '10.0.0.1' };
    const { seen, said, until } = await watching();
    await until(() => seen.last !== undefined);
    ec2.fails = 'not today';
    ec2.held = [];
    const asked = ec2.asked.DescribeAddresses ?? 0;
    await until(() => (ec2.asked.DescribeAddresses ?? 0) > asked + 3);
    expect(seen.last).toHaveLength(1);
    expect(said).toEqual([expect.stringContaining('not today')]);
    ec2.fails = '';
    await until(() => seen.last?.length === 0);
  });
});
