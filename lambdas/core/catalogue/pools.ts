/** HAProxy's sections for the roles of the catalogue: one frontend and its pools an offered port. Values in, text out; knows no role by name. */
import type { HttpProbe, RoleEntry } from './role-entry';

export interface PoolServer {
  slot: string;
  /** Address or name, without a port. */
  host: string;
}

/** One port of a role as the balancers offer it. */
export interface Offer {
  entry: RoleEntry;
  name: 'north' | 'south';
  /** Where the balancers listen. */
  port: number;
  /** Which address they listen at; empty: all. */
  address: string;
  servers: readonly PoolServer[];
}

/** All that a role offers, one offer a port; `ports`: where. */
export function offersOf(
  entry: RoleEntry,
  ports: { north: number; south?: number | undefined },
  servers: readonly PoolServer[],
  address = '',
): Offer[] {
  return entry.frontends.flatMap((name) => {
    const port = ports[name];
    return port === undefined ? [] : [{ entry, name, port, address, servers }];
  });
}

/** Where servers are names: who resolves them. `templates`: several servers behind one name come and go, as in Swarm. */
export interface Discovery {
  resolvers: string;
  templates: boolean;
}

const CHECKED = 'check inter 1s fastinter 300ms downinter 1s fall 2 rise 2 slowstart 3s observe layer4 error-limit 2 on-error fail-check';
const CHECKED_STANDBY = 'check inter 1s fastinter 300ms downinter 1s fall 2 rise 2 on-marked-down shutdown-sessions';

/** `entry` for the brokers as on the nodes; `sth`, `iotj_south` for others. */
function frontendName({ entry, name }: Offer): string {
  if (entry.slotPrefix === 'ctx') return 'entry';
  return name === 'north' ? entry.slotPrefix : `${entry.slotPrefix}_${name}`;
}

function poolPrefix({ entry, name }: Offer): string {
  return name === 'north' ? entry.slotPrefix : `${entry.slotPrefix}_${name}`;
}

/** Port of the process itself; for a check, where the probe asks. */
function portOf(entry: RoleEntry, name: HttpProbe['port']): number {
  const port = entry.ports[name];
  if (port === undefined) throw new Error(`${entry.name}: its probe or frontend names the port ${name}, which the entry does not have`);
  return port;
}

function serverLines(offer: Offer, probe: HttpProbe | null, discovery: Discovery | undefined, always: string): string {
  const { entry, name, servers } = offer;
  const port = portOf(entry, name);
  const checkPort = probe && probe.port !== name ? ` port ${portOf(entry, probe.port)}` : '';
  // Names may not be known yet when HAProxy starts: it must start all the same.
  const resolved = discovery ? ` resolvers ${discovery.resolvers} init-addr none` : '';
  if (discovery?.templates && entry.backend === 'round-robin')
    return `  server-template ${entry.slotPrefix} ${servers.length} ${entry.slotPrefix}:${port}${always}${checkPort}${resolved}`;
  const standby = (index: number) => (entry.backend === 'active-passive' && index > 0 ? ' backup' : '');
  return servers.map(({ slot, host }, i) => `  server ${slot} ${host}:${port}${always}${checkPort}${standby(i)}${resolved}`).join('\n');
}

function checkLines({ path, headers = {}, status }: HttpProbe): string {
  const sent = Object.entries(headers).map(([key, value]) => ` hdr ${key} ${value}`);
  return `  option httpchk
  http-check send meth GET uri ${path}${sent.join('')}
  http-check expect status ${status}`;
}

function httpPool(offer: Offer, pool: string, probe: HttpProbe, discovery: Discovery | undefined): string {
  const isPair = offer.entry.backend === 'active-passive';
  return `backend ${pool}
${isPair ? '' : '  balance roundrobin\n'}${checkLines(probe)}
  default-server ${isPair ? CHECKED_STANDBY : CHECKED}
${serverLines(offer, probe, discovery, '')}
`;
}

/** Nobody passes his check: that is load rather than death. A dead one refuses the connection, and the next is tried. */
function uncheckedPool(offer: Offer, pool: string, discovery: Discovery | undefined): string {
  return `backend ${pool}
  balance roundrobin
${serverLines(offer, null, discovery, '')}
`;
}

/** Which pool a request goes to: the first that has a server which passes, else the last. */
function choiceOf(pools: readonly string[]): string {
  const better = pools.slice(0, -1).map((pool) => `  use_backend ${pool} if { nbsrv(${pool}) gt 0 }\n`);
  return `${better.join('')}  default_backend ${pools.at(-1)}\n`;
}

/**
 * A process that lost the database alone gets nothing while another has it; when all of them lost it, each that answers at all serves:
 * its words are worth more to a client than the balancer's. When none passes any check, all of them get their share: checks that time out
 * under load must not shut everybody out (fail open, as in AWS' load balancers). A pair has no such pool: two would be active.
 * idle-close-on-response: on a reload a connection without a request yet gets its answer before it is closed.
 */
function httpOffer(offer: Offer, discovery: Discovery | undefined): string {
  const { entry, port, address } = offer;
  const prefix = poolPrefix(offer);
  const { truth, process } = entry.health;
  const repeatable = entry.backend === 'round-robin';
  const [pool, fallback, unchecked] = [`${prefix}_pool`, `${prefix}_without_database`, `${prefix}_unchecked`];
  const pools = [pool, ...(truth ? [fallback] : []), ...(repeatable ? [unchecked] : [])];
  const sections = [
    `frontend ${frontendName(offer)}
  bind ${address}:${port}
  option forwardfor
  option idle-close-on-response
${repeatable ? '  acl repeatable method GET HEAD OPTIONS PUT\n  http-request disable-l7-retry unless repeatable\n' : '  http-request disable-l7-retry\n'}${choiceOf(pools)}`,
    httpPool(offer, pool, truth ?? process, discovery),
    ...(truth ? [httpPool(offer, fallback, process, discovery)] : []),
    ...(repeatable ? [uncheckedPool(offer, unchecked, discovery)] : []),
  ];
  return sections.join('\n');
}

/** As in the slides: connections in turn to whoever accepts them. */
function tcpOffer(offer: Offer, discovery: Discovery | undefined): string {
  const prefix = poolPrefix(offer);
  return `frontend ${frontendName(offer)}
  bind ${offer.address}:${offer.port}
  mode tcp
  option tcplog
  default_backend ${prefix}_pool

backend ${prefix}_pool
  mode tcp
${offer.entry.backend === 'active-passive' ? '' : '  balance roundrobin\n'}${serverLines(offer, null, discovery, ' check')}
`;
}

/** The sections of all offers; `http`: requests are balanced, `tcp`: connections are. */
export function renderPools(offers: readonly Offer[], protocol: 'http' | 'tcp', discovery?: Discovery): string {
  return offers.map((offer) => (protocol === 'tcp' ? tcpOffer(offer, discovery) : httpOffer(offer, discovery))).join('\n');
}
