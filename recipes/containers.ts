/** What Compose and Swarm share: the balancer's image, checks from inside a container, names and folders. Text and values out. */
import type { HttpProbe, RoleEntry } from '../lambdas/core/catalogue/role-entry';
import { PORT } from '../lambdas/core/names';
import type { Part, Site } from './cluster';
import type { RecipeFile } from './recipe';

/** Containers find each other by the names of their slots. */
export const NAMES: Pick<Site, 'hostOf'> = { hostOf: (slot) => slot };

const DOCKERFILE = `# HAProxy and keepalived in one container, as on the balancers elsewhere: with one dead the other is no use
FROM debian:bookworm-slim
RUN apt-get update \\
  && apt-get install -y --no-install-recommends curl haproxy iproute2 keepalived \\
  && rm -rf /var/lib/apt/lists/*
COPY --chmod=0755 run-balancer check-haproxy /usr/local/bin/
CMD ["run-balancer"]
`;

/** The interfaces of a container are numbered in no order one could rely on: they are known by the addresses they carry. */
const RUN_BALANCER = `#!/bin/bash
# Runs HAProxy and keepalived until one of them ends; then the container ends, and whoever runs it starts it again.
set -euo pipefail

interface_of() { ip -o -4 address show to "$1" | awk '{ print $2; exit }'; }

mkdir -p /run/haproxy
sed -e "s/@ENTRY@/$(interface_of "$ENTRY_ADDRESS")/" -e "s/@SERVICES@/$(interface_of "$SERVICES_ADDRESS")/" \\
  /etc/fiware-ha/keepalived.conf >/run/keepalived.conf

haproxy -W -db -f /etc/haproxy/haproxy.cfg &
haproxy=$!
keepalived --dont-fork --log-console --use-file /run/keepalived.conf &
keepalived=$!
trap 'kill -TERM "$haproxy" "$keepalived" 2>/dev/null || true' TERM INT
code=0
wait -n || code=$?
kill -TERM "$haproxy" "$keepalived" 2>/dev/null || true
wait || true
exit "$code"
`;

/** The folder a balancer's image is built from. */
export function balancerImage(checkHaproxy: string): RecipeFile[] {
  return [
    { path: 'lb/Dockerfile', content: DOCKERFILE },
    { path: 'lb/run-balancer', content: RUN_BALANCER, executable: true },
    { path: 'lb/check-haproxy', content: checkHaproxy, executable: true },
  ];
}

/** Command that exits 0 when the probe is answered as it should be, with what the image brings. */
export function checkFromInside({ ports, client }: RoleEntry, { port, path, headers = {}, status }: HttpProbe): string[] {
  const number = ports[port] ?? ports.north;
  if (client === 'curl') {
    const sent = Object.entries(headers).flatMap(([key, value]) => ['-H', `${key}: ${value}`]);
    return ['CMD', 'curl', '-fsS', '-o', '/dev/null', '--max-time', '4', ...sent, `http://localhost:${number}${path}`];
  }
  const options = JSON.stringify({ host: 'localhost', port: number, path, headers, timeout: 4000 });
  const text = `const q=require('http').get(${options},r=>process.exit(r.statusCode===${status}?0:1));q.on('timeout',()=>process.exit(1));q.on('error',()=>process.exit(1))`;
  return ['CMD', 'node', '-e', text];
}

export const BALANCER_CHECK = [
  'CMD',
  'curl',
  '-fsS',
  '-o',
  '/dev/null',
  '--max-time',
  '2',
  `http://localhost:${PORT.admin}/fiware-ha/health`,
];

/** Where a file of a role is kept beside the project, and where the process reads it. */
export function settingsFile(part: Part, slot: string, path: string): string {
  return `${part.entry.slotPrefix}/${slot}/${path.slice(path.lastIndexOf('/') + 1)}`;
}

/** `sth2-cygnus`: name of the volume for a folder of a slot. */
export function volumeName(slot: string, folder: string): string {
  return `${slot}-${folder.slice(folder.lastIndexOf('/') + 1)}`;
}
