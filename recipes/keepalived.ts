/** keepalived.conf of a recipe: which balancer holds the virtual address. Text out; decides nothing at run time. */

export interface VrrpNode {
  /** Its own address, and the other balancers'. */
  ip: string;
  peers: readonly string[];
  /** 1 for lb1. */
  index: number;
}

export interface VirtualAddress {
  /** With the prefix length: 192.168.0.99/24. */
  cidr: string;
  interface: string;
}

const ROUTER_ID = 51;

/**
 * VRRP version 3 for adverts below a second; both begin as BACKUP and nopreempt keeps the address where it is: a return is a break in
 * service for nothing. Unicast, because not every network carries multicast.
 */
export function renderKeepalived(
  { ip, peers, index }: VrrpNode,
  addresses: readonly [VirtualAddress, ...VirtualAddress[]],
  advertIntervalS: number,
): string {
  return `# The balancer that holds the virtual address; a silent or hanging HAProxy lets it go
global_defs {
  router_id lb${index}
  vrrp_version 3
  enable_script_security
  script_user root
}

vrrp_script check_haproxy {
  script "/usr/local/bin/check-haproxy"
  interval 1
  timeout 1
  fall 1
  rise 2
}

vrrp_instance entry {
  state BACKUP
  nopreempt
  interface ${addresses[0].interface}
  virtual_router_id ${ROUTER_ID}
  priority ${101 - index}
  advert_int ${advertIntervalS}
${peers.length > 0 ? `  unicast_src_ip ${ip}\n  unicast_peer {\n${peers.map((peer) => `    ${peer}\n`).join('')}  }\n` : ''}  virtual_ipaddress {
${addresses.map(({ cidr, interface: name }) => `    ${cidr} dev ${name}\n`).join('')}  }
  track_script {
    check_haproxy
  }
}
`;
}

/** As the slides have it: multicast, lb1 preferred, the process looked for by its name. */
export function renderKeepalivedOfTheSlides({ index }: Pick<VrrpNode, 'index'>, { cidr, interface: name }: VirtualAddress): string {
  return `# Not in the slides: keepalived has come to want a word on who runs the script
global_defs {
  enable_script_security
  script_user root
}

vrrp_script chk_haproxy {
  script "killall -0 haproxy"
  interval 2
  weight 2
}

vrrp_instance VI_1 {
  interface ${name}
  state ${index === 1 ? 'MASTER' : 'BACKUP'}
  virtual_router_id ${ROUTER_ID}
  priority ${102 - index}
  virtual_ipaddress {
    ${cidr.replace(/\/.*$/, '')}
  }
  track_script {
    chk_haproxy
  }
}
`;
}

/** What keepalived runs each second: asks HAProxy for an answer, twice, so that a hung process counts as dead. */
export const CHECK_HAPROXY = `#!/bin/sh
# Exits 0 only when HAProxy answers a request; asks twice.
ask() { curl -fsS -o /dev/null --max-time 0.4 http://127.0.0.1:8404/fiware-ha/health; }
ask || ask
`;

/** HAProxy binds the virtual address on the balancer that does not hold it as well. */
export const NONLOCAL_BIND = `# HAProxy listens at the virtual address before this machine holds it
net.ipv4.ip_nonlocal_bind = 1
`;
