/** Renders a balancer's files: HAProxy for the brokers, keepalived for the pair. Typed values in, text out. */
import { serviceEntry } from '../catalogue/catalogue';
import { offersOf, renderPools } from '../catalogue/pools';
import { PORT } from '../names';
import { type LbConfig, rolesOffered } from '../node-config';
import { ADMIN_CLIENTS, HTTP_DEFAULTS } from './haproxy-defaults';
import type { RenderedFile } from './rendered-file';

/** A balancer that is back takes its own instance back from the peer that listened to it. */
const OWNER_PRIORITY = 200;

const GLOBAL = `global
  log /dev/log local0
  user haproxy
  group haproxy
  maxconn 8000
  # Where fewer descriptors are allowed than that needs, it serves with what it gets.
  no strict-limits
  # Connections of the configuration before get this long to end.
  hard-stop-after 60s
  # Tells the version, or that somebody edited a file since.
  lua-load /opt/fiware-ha/bin/config-version.lua
  stats socket /run/haproxy/admin.sock mode 660 level admin expose-fd listeners

${HTTP_DEFAULTS}  # A request that reached no broker goes to another one; one that may have been acted upon only where doing it twice is the same as
  # once, for the client as well (a repeated DELETE would answer 404).
  retry-on conn-failure empty-response
`;

/** Every role as the balancers offer it, rendered from the catalogue. */
function pools(config: LbConfig): string {
  const offers = rolesOffered(config).flatMap(({ role, ports, servers }) =>
    offersOf(
      serviceEntry(role),
      ports,
      servers.map(({ slot, ip }) => ({ slot, host: ip })),
    ),
  );
  return renderPools(offers, config.protocol);
}

/** The security group keeps everybody outside off the admin port; should it ever be opened, private addresses alone get an answer. */
function haproxyConfig(config: LbConfig, version: string): string {
  return `# fiware-ha configuration ${version}; written by the control plane, changes by hand are replaced
${GLOBAL}
${pools(config)}
frontend admin
  bind :${PORT.admin}
  option dontlog-normal
  http-request deny unless { src ${ADMIN_CLIENTS} }
  http-request set-var(txn.config_version) str(${version})
  http-request use-service lua.config_version if { path /fiware-ha/config-version }
  http-request return status 200 content-type text/plain string "serving" if { path /fiware-ha/health }
  http-request use-service prometheus-exporter if { path /metrics }
  http-request return status 404
`;
}

/** What both VRRP instances share: unicast, because a VPC has no multicast. */
function vrrpLink({ ip, peers, advertIntervalS }: LbConfig, routerId: number): string {
  return `interface @INTERFACE@
  virtual_router_id ${routerId}
  advert_int ${advertIntervalS}
  unicast_src_ip ${ip}
  unicast_peer {
    ${peers.join('\n    ')}
  }
  virtual_ipaddress {
    169.254.${routerId}.1/32 dev lo
  }
  track_script {
    check_haproxy
  }`;
}

/**
 * Each balancer speaks up in an instance of its own (`alive`) and listens to its peer's (`entry`): whichever of them holds the address,
 * the other notices its death. With one instance the backup would be silent, and nobody would miss it when the address is there.
 * The addresses are tokens on lo, because the real one is the Elastic IP, which the failover worker alone moves.
 */
function vrrpInstances(config: LbConfig): string {
  const { ip, peers, virtualRouterId, claims } = config;
  const isFirst = [ip, ...peers].sort()[0] === ip;
  const [own, theirs] = isFirst ? [virtualRouterId, virtualRouterId + 1] : [virtualRouterId + 1, virtualRouterId];
  const notify = `/opt/fiware-ha/bin/notify-entry ${claims ? `${claims.queueUrl} ${claims.cluster}` : '- -'}`;
  return `
vrrp_script check_haproxy {
  script "/opt/fiware-ha/bin/check-haproxy"
  interval 1
  timeout 1
  fall 1
  rise 2
}

vrrp_instance alive {
  version 3
  state BACKUP
  priority ${OWNER_PRIORITY}
  ${vrrpLink(config, own)}
  notify_master_rx_lower_pri "${notify} INSTANCE alive MASTER_RX_LOWER_PRI"
}

vrrp_instance entry {
  version 3
  state BACKUP
  nopreempt
  priority 100
  ${vrrpLink(config, theirs)}
  notify "${notify}"
}
`;
}

/** A second Elastic IP leads to a second private address, which EC2 gave to the interface and the operating system knows nothing of. */
function secondAddresses({ secondaryIps = [] }: LbConfig): string {
  if (secondaryIps.length === 0) return '';
  return `
static_ipaddress {
${secondaryIps.map((ip) => `  ${ip}/32 dev @INTERFACE@`).join('\n')}
}
`;
}

/** Without the version, so that a new list of brokers leaves the file as it is and VRRP undisturbed. */
function keepalivedConfig(config: LbConfig): string {
  const head = `# fiware-ha; written by the control plane, changes by hand are replaced
global_defs {
  router_id fiware_ha
  vrrp_version 3
  enable_script_security
  script_user root
}
`;
  const pair = config.peers.length > 0 ? vrrpInstances(config) : '# The balancer is alone: there is nobody to speak VRRP with.\n';
  return head + secondAddresses(config) + pair;
}

/** The files of a balancer. */
export function renderLb(config: LbConfig, version: string): RenderedFile[] {
  return [
    { name: 'haproxy.cfg', content: haproxyConfig(config, version) },
    { name: 'keepalived.conf', content: keepalivedConfig(config) },
  ];
}
