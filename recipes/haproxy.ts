/** haproxy.cfg of a recipe: pools from the catalogue, and around them what the place needs. Text out; checks nothing. */
import { type Discovery, renderPools } from '../lambdas/core/catalogue/pools';
import { ADMIN_CLIENTS, HTTP_DEFAULTS } from '../lambdas/core/config/haproxy-defaults';
import { PORT } from '../lambdas/core/names';
import type { ClusterSpec } from '../lambdas/core/spec';
import { offersOf, type Site } from './cluster';

export interface HaproxyPlace {
  /** Containers log to their output, machines to syslog. */
  log: 'stdout' | 'syslog';
  discovery?: Discovery;
}

function globalSection(log: HaproxyPlace['log']): string {
  return `global
  log ${log === 'stdout' ? 'stdout format raw local0' : '/dev/log local0'}
  user haproxy
  group haproxy
  maxconn 8000
  # Where fewer descriptors are allowed than that needs, it serves with what it gets.
  no strict-limits
  # Connections of the configuration before get this long to end.
  hard-stop-after 60s
  stats socket /run/haproxy/admin.sock mode 660 level admin expose-fd listeners
`;
}

const REPEATING = `${HTTP_DEFAULTS}  # A request that reached nobody goes to another one; one that may have been acted upon only where doing it twice is the same as once.
  retry-on conn-failure empty-response
`;

const TCP_DEFAULTS = `defaults
  mode tcp
  log global
  option tcplog
  option dontlognull
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  timeout check 2s
  timeout http-request 10s
  retries 3
`;

/** keepalived asks for the health; metrics are for those on private addresses. */
const ADMIN = `frontend admin
  bind :${PORT.admin}
  mode http
  option dontlog-normal
  http-request deny unless { src ${ADMIN_CLIENTS} }
  http-request return status 200 content-type text/plain string "serving" if { path /fiware-ha/health }
  http-request use-service prometheus-exporter if { path /metrics }
  http-request return status 404
`;

const RESOLVERS = (name: string) => `resolvers ${name}
  # Docker's own server of names, the same in every container.
  nameserver dns 127.0.0.11:53
  hold valid 5s
  hold nx 2s
  hold other 2s
`;

/** The configuration of both balancers: they are the same, so that either can do the other's work. */
export function renderHaproxy(spec: ClusterSpec, site: Site, { log, discovery }: HaproxyPlace): string {
  const { protocol } = spec.entry;
  return [
    `# ${spec.name}: the way in to the brokers and the other roles; the same on every balancer`,
    globalSection(log),
    protocol === 'http' ? REPEATING : TCP_DEFAULTS,
    ...(discovery ? [RESOLVERS(discovery.resolvers)] : []),
    renderPools(offersOf(spec, site), protocol, discovery),
    ADMIN,
  ].join('\n');
}

/** As the slides have it, and no more: connections in turn, logged, checked by opening one. */
export function renderHaproxyOfTheSlides(spec: ClusterSpec, site: Site): string {
  return `global
  log /dev/log local0
  user haproxy
  group haproxy
  daemon
  maxconn 4096

defaults
  log global
  mode tcp
  option tcplog
  option dontlognull
  retries 3
  timeout connect 5s
  timeout client 50s
  timeout server 50s

${renderPools(offersOf(spec, site), 'tcp')}`;
}
