/** A machine inside this one: own network, own processes, own /etc, /opt, /run and /var, thrown away at the end. Needs root. */
import { type ChildProcess, spawn } from 'node:child_process';
import { type Ran, run } from './tools';

const FLAGS = ['--net', '--mount', '--pid'];

/** Whether namespaces can be had here: root, on a kernel that allows them. */
export function canSandbox(): boolean {
  return process.getuid?.() === 0 && run('unshare', [...FLAGS, '--fork', 'true']).code === 0;
}

/** Everything the node scripts write to, copied or emptied; a network interface with a default route. */
const PREPARE = `
set -e
mount -t tmpfs none /opt
mount -t tmpfs none /run
mkdir /run/etc && cp -a /etc/. /run/etc && mount --bind /run/etc /etc
mount -t tmpfs none /var/lib
mount -t tmpfs none /var/log
ip link set lo up
ip link add eth0 type veth peer name eth1
ip address add 10.99.0.1/24 dev eth0
ip link set eth0 up && ip link set eth1 up
ip route add default via 10.99.0.254
`;

export class Sandbox {
  private readonly first: ChildProcess;
  private pid = 0;

  constructor() {
    this.first = spawn('unshare', [...FLAGS, '--fork', '--kill-child', '--mount-proc', 'sleep', '600'], { stdio: 'ignore' });
  }

  /** Waits until the namespaces are there and fits them out. @throws with what went wrong */
  prepare(): void {
    for (let waited = 0; waited < 50 && !this.pid; waited++) {
      this.pid = Number(run('pgrep', ['-P', String(this.first.pid), '-x', 'sleep']).stdout) || 0;
      if (!this.pid) run('sleep', ['0.1']);
    }
    const { code, stderr } = this.run('bash', '-c', PREPARE);
    if (code !== 0) throw new Error(`sandbox: ${stderr}`);
  }

  run(program: string, ...args: string[]): Ran {
    return run('nsenter', ['--target', String(this.pid), ...FLAGS, '--', program, ...args]);
  }

  /** Runs shell text to its end. */
  sh(text: string): Ran {
    return this.run('bash', '-c', text);
  }

  /** Ends every process inside; the kernel takes the rest away. */
  remove(): void {
    this.first.kill('SIGKILL');
  }
}
