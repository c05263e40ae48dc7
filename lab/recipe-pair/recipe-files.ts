/** The two files of the FIWARE HA slides' balancers, with their values; only addresses are filled in. Text only. */
import { PORT } from '../../lambdas/core/names';

export interface Broker {
  slot: string;
  ip: string;
}

/** The slides: tcp mode, brokers in turn, `check` with HAProxy's own defaults; bound to the address that keepalived moves. */
export function recipeHaproxy(address: string, brokers: readonly Broker[]): string {
  const servers = brokers.map(({ slot, ip }) => `  server ${slot} ${ip}:${PORT.orion} check`);
  return `
frontend ctx
  bind ${address}:${PORT.orion}
  mode tcp
  option tcplog
  default_backend ctx_pool

backend ctx_pool
  mode tcp
  balance roundrobin
${servers.join('\n')}
`;
}

/** The slides: `killall -0` every 2 s, weight 2, router 51, priority 101 on the first and 100 on the second, an advertisement a second. */
export function recipeKeepalived(address: string, isFirst: boolean): string {
  return `vrrp_script chk_haproxy {
  script "killall -0 haproxy"
  interval 2
  weight 2
}

vrrp_instance VI_1 {
  interface eth0
  state ${isFirst ? 'MASTER' : 'BACKUP'}
  virtual_router_id 51
  priority ${isFirst ? 101 : 100}
  advert_int 1
  virtual_ipaddress {
    ${address}
  }
  track_script {
    chk_haproxy
  }
}
`;
}
