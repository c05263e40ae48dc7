/** Corosync and Pacemaker instead of keepalived: their files and commands for the pair of balancers. Text out; no fencing is made up. */
import type { ClusterSpec } from '../lambdas/core/spec';
import type { Addresses } from './addresses';
import { balancersOf } from './cluster';
import type { RecipeFile } from './recipe';

/** Two nodes can't outvote each other: `two_node` lets one go on alone, `wait_for_all` keeps a lone one from beginning alone. */
function corosyncConf(spec: ClusterSpec, { nodes }: Addresses): string {
  const node = (slot: string, i: number) => `  node {
    name: ${slot}
    nodeid: ${i + 1}
    ring0_addr: ${nodes[slot]}
  }`;
  return `# The same on both balancers
totem {
  version: 2
  cluster_name: ${spec.name}
  transport: knet
  crypto_cipher: aes256
  crypto_hash: sha256
}

nodelist {
${balancersOf(spec).map(node).join('\n')}
}

quorum {
  provider: corosync_votequorum
  two_node: 1
  wait_for_all: 1
}

logging {
  to_syslog: yes
}
`;
}

/** One script for both: on the cluster itself, or with CIB=file on a file that can be checked before. */
function configure(spec: ClusterSpec, { virtual, prefix, interface: name }: Addresses): string {
  const slots = balancersOf(spec);
  const variable = (slot: string) => `FENCE_${slot.toUpperCase()}`;
  const fences = slots
    .map(
      (slot) =>
        `read -ra agent <<<"$${variable(slot)}"\npcs_do stonith create fence-${slot} "\${agent[@]}" pcmk_host_list=${slot}\npcs_do constraint location fence-${slot} avoids ${slot}`,
    )
    .join('\n');
  return `#!/bin/bash
# Tells Pacemaker what to keep running: HAProxy on both balancers, the virtual address where HAProxy runs. Run once, on one of them.
# CIB=FILE writes into a file instead, to be looked at with: crm_verify -V --xml-file FILE
set -euo pipefail

# How each balancer is switched off by the other: agent and its settings, from \`pcs stonith list\` and \`pcs stonith describe AGENT\`.
# Without it a balancer that is silent, but alive, would hold the address beside the other one.
${slots.map((slot) => `: "\${${variable(slot)}:?expected how ${slot} is fenced, such as ${variable(slot)}='fence_ipmilan ip=192.168.1.10 username=admin password_script=/root/ipmi-password'}"`).join('\n')}
# lsb:haproxy where there is no systemd.
haproxy_agent=\${HAPROXY_AGENT:-systemd:haproxy}

pcs_do() { pcs \${CIB:+-f "$CIB"} "$@"; }

pcs_do property set stonith-enabled=true no-quorum-policy=stop
${fences}

# Both run HAProxy all the time; it listens at an address that only one of them holds (ip_nonlocal_bind).
pcs_do resource create haproxy "$haproxy_agent" op monitor interval=2s timeout=5s clone
pcs_do resource create entry-address ocf:heartbeat:IPaddr2 ip=${virtual} cidr_netmask=${prefix} nic=${name} op monitor interval=2s timeout=5s
pcs_do constraint colocation add entry-address with haproxy-clone INFINITY
# The address stays where it is when the other balancer comes back, and leaves one whose HAProxy failed twice.
pcs_do resource defaults update resource-stickiness=100 migration-threshold=2 failure-timeout=60s
`;
}

/** Files of the balancers and the script beside them. */
export function renderPacemaker(spec: ClusterSpec, addresses: Addresses): RecipeFile[] {
  return [
    ...balancersOf(spec).map((slot) => ({ path: `${slot}/etc/corosync/corosync.conf`, content: corosyncConf(spec, addresses) })),
    { path: 'pacemaker/configure', content: configure(spec, addresses), executable: true },
  ];
}

/** When it is worth it; for the README. */
export const WORTH_IT = `keepalived moves an address; Pacemaker decides who may run what, and makes sure of it by switching a silent machine off (STONITH). For
two balancers without data that is rarely worth it: two that both hold the address for a moment cost some clients a reconnect, no data,
and keepalived takes over in about a second where Corosync's token and a fencing device take five to thirty. It is worth it where
Pacemaker runs the machines already, where addresses must never be held twice (clients pinned by ARP, switches that lock a port), or
where the pair runs more than HAProxy, such as a shared disk or an address on several networks that must move together. Never run it with
\`stonith-enabled=false\`: with two nodes there is no majority, only the fencing device knows who is left. A third vote
(\`corosync-qdevice\` on a broker's machine) keeps a pair that lost its link from shooting each other. Pacemaker asks systemd
whether HAProxy runs: one that hangs is not noticed, where keepalived asks HAProxy itself.
`;
