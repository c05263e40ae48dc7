import { describe, expect, it } from '@jest/globals';
import { orionSettings } from '../../../lambdas/core/config/orion-sizing';
import { renderConfig } from '../../../lambdas/core/config/render';
import { configVersion } from '../../../lambdas/core/config/version';
import { type NodeConfig, nodeConfig } from '../../../lambdas/core/node-config';

type ConfigOf<R extends NodeConfig['role']> = Extract<NodeConfig, { role: R }>;

const LB: ConfigOf<'lb'> = {
  role: 'lb',
  port: 1026,
  brokers: [
    { slot: 'ctx1', ip: '10.0.2.11' },
    { slot: 'ctx2', ip: '10.0.2.21' },
  ],
  ip: '10.0.1.11',
  peers: ['10.0.1.21'],
  virtualRouterId: 51,
  advertIntervalS: 0.3,
  protocol: 'http',
  claims: { cluster: 'city', queueUrl: 'https://sqs.eu-west-1.amazonaws.com/123456789012/claims' },
};
const ORION: ConfigOf<'orion'> = {
  role: 'orion',
  version: '4.1.0',
  replicaSet: 'orion_rs',
  seeds: ['10.0.3.11:27017', '10.0.3.21:27017', '10.0.3.31:27017'],
  writeConcern: 'majority',
  readPreference: 'primary',
  settings: orionSettings('t3.medium'),
};
const MONGO: ConfigOf<'mongo'> = { role: 'mongo', replicaSet: 'orion_rs' };

/** The text of one rendered file. */
function textOf(config: NodeConfig, name: string, version = '00c0ffee00c0ff'): string {
  const file = renderConfig(config, version).find((one) => one.name === name);
  if (!file) throw new Error(`${config.role} has no file ${name}`);
  return file.content;
}

/** The lines of a section, without what stands before and after it. */
function section(text: string, title: string): string[] {
  const lines = text.split('\n');
  const start = lines.indexOf(title);
  const end = lines.findIndex((line, i) => i > start && (line === '' || line === '}'));
  return lines.slice(start + 1, end).map((line) => line.trim());
}

describe('haproxy.cfg', () => {
  const text = textOf(LB, 'haproxy.cfg');

  const CHECKED = [
    'http-check expect status 200',
    'default-server check inter 1s fastinter 300ms downinter 1s fall 2 rise 2 slowstart 3s observe layer4 error-limit 2 on-error fail-check',
    'server ctx1 10.0.2.11:1026',
    'server ctx2 10.0.2.21:1026',
  ];

  it('sends requests in turn to each broker that has the database', () => {
    expect(section(text, 'backend ctx_pool')).toEqual([
      'balance roundrobin',
      'option httpchk',
      'http-check send meth GET uri /v2/entities?limit=1',
      ...CHECKED,
    ]);
  });

  it('sends them to each broker that answers at all while none has the database', () => {
    expect(section(text, 'frontend entry')).toContain('use_backend ctx_without_database if { nbsrv(ctx_without_database) gt 0 }');
    expect(section(text, 'backend ctx_without_database')).toEqual([
      'balance roundrobin',
      'option httpchk',
      'http-check send meth GET uri /version',
      ...CHECKED,
    ]);
  });

  it('balances connections as in the slides where the cluster asks for that', () => {
    const tcp = textOf({ ...LB, protocol: 'tcp' }, 'haproxy.cfg');
    expect(section(tcp, 'frontend entry')).toEqual(['bind :1026', 'mode tcp', 'option tcplog', 'default_backend ctx_pool']);
    expect(section(tcp, 'backend ctx_pool')).toEqual([
      'mode tcp',
      'balance roundrobin',
      'server ctx1 10.0.2.11:1026 check',
      'server ctx2 10.0.2.21:1026 check',
    ]);
    expect(section(tcp, 'frontend admin')).toEqual(section(text, 'frontend admin'));
  });

  it('repeats on another broker only what may be done twice', () => {
    expect(section(text, 'frontend entry')).toEqual([
      'bind :1026',
      'option forwardfor',
      'option idle-close-on-response',
      'acl repeatable method GET HEAD OPTIONS PUT',
      'http-request disable-l7-retry unless repeatable',
      'use_backend ctx_pool if { nbsrv(ctx_pool) gt 0 }',
      'use_backend ctx_without_database if { nbsrv(ctx_without_database) gt 0 }',
      'default_backend ctx_unchecked',
    ]);
    expect(section(text, 'defaults')).toEqual(
      expect.arrayContaining(['mode http', 'retries 3', 'option redispatch 1', 'retry-on conn-failure empty-response']),
    );
  });

  it('tells its version, its health and its metrics on port 8404 to private addresses, and nothing else', () => {
    expect(section(text, 'frontend admin')).toEqual([
      'bind :8404',
      'option dontlog-normal',
      'http-request deny unless { src 127.0.0.0/8 10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 100.64.0.0/10 }',
      'http-request set-var(txn.config_version) str(00c0ffee00c0ff)',
      'http-request use-service lua.config_version if { path /fiware-ha/config-version }',
      'http-request return status 200 content-type text/plain string "serving" if { path /fiware-ha/health }',
      'http-request use-service prometheus-exporter if { path /metrics }',
      'http-request return status 404',
    ]);
    expect(section(text, 'global')).toContain('lua-load /opt/fiware-ha/bin/config-version.lua');
  });

  it('listens where the configuration says', () => {
    expect(section(textOf({ ...LB, port: 8080 }, 'haproxy.cfg'), 'frontend entry')).toContain('bind :8080');
  });
});

describe('keepalived.conf', () => {
  it('brings up the second private address of an active/active pair, and holds none otherwise', () => {
    expect(textOf(LB, 'keepalived.conf')).not.toContain('static_ipaddress');
    const text = textOf({ ...LB, secondaryIps: ['10.0.1.77'] }, 'keepalived.conf');
    expect(section(text, 'static_ipaddress {')).toEqual(['10.0.1.77/32 dev @INTERFACE@']);
    // Nothing else of the pair depends on it.
    expect(text.replace(/\nstatic_ipaddress \{[^}]*\}\n/, '')).toBe(textOf(LB, 'keepalived.conf'));
  });

  const QUEUE = 'https://sqs.eu-west-1.amazonaws.com/123456789012/claims';
  /** An instance as it stands in the file: what is its own, around what both share. */
  const instance = (routerId: number, own: string[], notify: string) => [
    'version 3',
    'state BACKUP',
    ...own,
    'interface @INTERFACE@',
    `virtual_router_id ${routerId}`,
    'advert_int 0.3',
    'unicast_src_ip 10.0.1.11',
    'unicast_peer {',
    '10.0.1.21',
    '}',
    'virtual_ipaddress {',
    `169.254.${routerId}.1/32 dev lo`,
    '}',
    'track_script {',
    'check_haproxy',
    '}',
    notify,
  ];
  const CLAIM = `/opt/fiware-ha/bin/notify-entry ${QUEUE} city`;

  it('listens to its peer by VRRP 3 over unicast, claims when that falls silent and does not fail back', () => {
    expect(section(textOf(LB, 'keepalived.conf'), 'vrrp_instance entry {')).toEqual(
      instance(52, ['nopreempt', 'priority 100'], `notify "${CLAIM}"`),
    );
  });

  it('speaks up for itself, so that its peer misses it whoever holds the address', () => {
    expect(section(textOf(LB, 'keepalived.conf'), 'vrrp_instance alive {')).toEqual(
      instance(51, ['priority 200'], `notify_master_rx_lower_pri "${CLAIM} INSTANCE alive MASTER_RX_LOWER_PRI"`),
    );
  });

  it('crosses the two instances of a pair: what one speaks in the other listens to', () => {
    const idsOf = (ip: string, peer: string) => {
      const text = textOf({ ...LB, ip, peers: [peer] }, 'keepalived.conf');
      const id = (name: string) => section(text, `vrrp_instance ${name} {`).find((line) => line.startsWith('virtual_router_id'));
      return { speaks: id('alive'), listens: id('entry') };
    };
    for (const [one, other] of [
      ['10.0.1.11', '10.0.1.21'],
      ['10.0.9.2', '10.0.10.1'],
    ] as const) {
      expect(idsOf(one, other).speaks).toBe(idsOf(other, one).listens);
      expect(idsOf(one, other).listens).toBe(idsOf(other, one).speaks);
      expect(idsOf(one, other).speaks).not.toBe(idsOf(one, other).listens);
    }
  });

  it('advertises as often as the cluster says', () => {
    expect(textOf({ ...LB, advertIntervalS: 0.15 }, 'keepalived.conf').match(/advert_int .*/g)).toEqual([
      'advert_int 0.15',
      'advert_int 0.15',
    ]);
  });

  it('claims nothing where the deployment takes no claims', () => {
    const { claims: _, ...without } = LB;
    expect(section(textOf(without, 'keepalived.conf'), 'vrrp_instance entry {').at(-1)).toBe(
      'notify "/opt/fiware-ha/bin/notify-entry - -"',
    );
  });

  it('gives HAProxy up after two questions without an answer: both are asked in one check', () => {
    expect(section(textOf(LB, 'keepalived.conf'), 'vrrp_script check_haproxy {')).toEqual([
      'script "/opt/fiware-ha/bin/check-haproxy"',
      'interval 1',
      'timeout 1',
      'fall 1',
      'rise 2',
    ]);
  });

  it('has no VRRP at all while the balancer is alone', () => {
    const text = textOf({ ...LB, peers: [] }, 'keepalived.conf');
    expect(text).not.toMatch(/vrrp_instance|unicast|vrrp_script/);
    expect(text).toContain('vrrp_version 3');
  });

  it('stays the same when only the brokers change, so that VRRP is left alone', () => {
    const before = textOf(LB, 'keepalived.conf', configVersion(LB));
    const more = { ...LB, brokers: [...LB.brokers, { slot: 'ctx3', ip: '10.0.2.31' }] };
    expect(textOf(more, 'keepalived.conf', configVersion(more))).toBe(before);
  });
});

describe('orion.env', () => {
  const fileOf = (head: string, version: string) => `${head}
ORION_MONGO_DB=orion
ORION_MONGO_WRITE_CONCERN=1
ORION_MUTEX_POLICY=none
ORION_SUBCACHE_IVAL=10
ORION_TRQ_POOL_SIZE=4
ORION_MONGO_POOL_SIZE=10
ORION_MAX_CONN=1020
ORION_NOTIF_MODE=threadpool:1000:20
FIWARE_HA_FILE_DESCRIPTORS=65536
FIWARE_HA_ORION_VERSION=${version}
FIWARE_HA_CONFIG_VERSION=00c0ffee00c0ff
`;

  it.each(['4.0.0', '4.1.0', '10.0.0'])('names the database by one URI for version %s', (version) => {
    const uri = 'mongodb://10.0.3.11:27017,10.0.3.21:27017,10.0.3.31:27017/?replicaSet=orion_rs&w=majority';
    expect(textOf({ ...ORION, version }, 'orion.env')).toBe(fileOf(`ORION_MONGO_URI=${uri}`, version));
  });

  it.each(['2.5.0', '3.12.0'])('names hosts and set on their own for version %s', (version) => {
    const head = 'ORION_MONGO_HOST=10.0.3.11:27017,10.0.3.21:27017,10.0.3.31:27017\nORION_MONGO_REPLICA_SET=orion_rs';
    expect(textOf({ ...ORION, version }, 'orion.env')).toBe(fileOf(head, version));
  });

  it.each([
    [1, 'primary', 'w=1', '1'],
    [0, 'secondaryPreferred', 'w=0&readPreference=secondaryPreferred', '0'],
    ['majority', 'nearest', 'w=majority&readPreference=nearest', '1'],
  ] as const)('carries write concern %s and read preference %s', (writeConcern, readPreference, options, orionsOwn) => {
    const text = textOf({ ...ORION, writeConcern, readPreference }, 'orion.env');
    expect(/^ORION_MONGO_URI=.*\?(.*)$/m.exec(text)?.[1]).toBe(`replicaSet=orion_rs&${options}`);
    expect(/^ORION_MONGO_WRITE_CONCERN=(.*)$/m.exec(text)?.[1]).toBe(orionsOwn);
  });

  it('keeps the name of the database within the ten characters Orion takes', () => {
    expect(/^ORION_MONGO_DB=(.*)$/m.exec(textOf(ORION, 'orion.env'))?.[1]?.length).toBeLessThanOrEqual(10);
  });
});

describe('mongod.conf', () => {
  it('names the replica set and listens for the others', () => {
    expect(
      textOf(MONGO, 'mongod.conf'),
    ).toBe(`# fiware-ha configuration 00c0ffee00c0ff; written by the control plane, changes by hand are replaced
net:
  port: 27017
  bindIp: 0.0.0.0
replication:
  replSetName: orion_rs
storage:
  dbPath: /data/db
`);
  });
});

describe('values from outside', () => {
  const POISON = ['"', "'", '\n', '\r', ' ', ';', '$(id)', '`id`', '#', '\\', '\u2028', '\0', '{', '%'];
  const places: [string, (poison: string) => unknown][] = [
    ['a broker address', (p) => ({ ...LB, brokers: [{ slot: 'ctx1', ip: `10.0.2.11${p}` }] })],
    ['a broker slot', (p) => ({ ...LB, brokers: [{ slot: `ctx1${p}`, ip: '10.0.2.11' }] })],
    ['the own address', (p) => ({ ...LB, ip: `10.0.1.11${p}` })],
    ['a peer', (p) => ({ ...LB, peers: [`10.0.1.21${p}`] })],
    ['the queue of the claims', (p) => ({ ...LB, claims: { cluster: 'city', queueUrl: `https://sqs/claims${p}` } })],
    ['the cluster of the claims', (p) => ({ ...LB, claims: { cluster: `city${p}`, queueUrl: 'https://sqs/claims' } })],
    ['a version of Orion', (p) => ({ ...ORION, version: `4.1.0${p}` })],
    ['a seed', (p) => ({ ...ORION, seeds: [`10.0.3.11:27017${p}`] })],
    ['the set of a broker', (p) => ({ ...ORION, replicaSet: `orion_rs${p}` })],
    ['the set of a member', (p) => ({ ...MONGO, replicaSet: `orion_rs${p}` })],
  ];

  it.each(places)('%s with a quote, a newline or anything a file or shell could mistake is not taken', (_where, poisoned) => {
    expect(nodeConfig.safeParse(poisoned('')).success).toBe(true);
    for (const poison of POISON) expect(nodeConfig.safeParse(poisoned(poison)).success).toBe(false);
  });
});
