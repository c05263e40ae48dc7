/** Chooses whom a scenario harms, from a status. Harms nobody. */
import type { StatusSummary } from '../../lambdas/core/memory';
import { LabError } from '../lab-error';
import type { Victim } from './scenario';

/** `standby`: the balancer that does not hold the address; `agent`: an IoT agent, which stands for the roles beside brokers. */
export type Who = 'broker' | 'holder' | 'standby' | 'primary' | 'secondary' | 'agent';

const IS: Record<Who, (victim: Victim) => boolean> = {
  broker: ({ role }) => role === 'orion',
  holder: ({ holdsAddress }) => holdsAddress === true,
  standby: ({ role, holdsAddress }) => role === 'lb' && holdsAddress !== true,
  primary: ({ member }) => member === 'primary',
  secondary: ({ member }) => member === 'secondary',
  agent: ({ role }) => role === 'iotagent-json',
};

/** All nodes that run and have an address. */
export function nodesOf({ slots }: StatusSummary): Victim[] {
  return slots.flatMap((slot) => {
    const { instanceId, privateIp } = slot;
    return instanceId && privateIp ? [{ ...slot, instanceId, privateIp }] : [];
  });
}

export function nodesOfRole(status: StatusSummary, role: string): Victim[] {
  return nodesOf(status).filter((node) => node.role === role);
}

/** @throws LabError when the cluster has none */
export function choose(status: StatusSummary, who: Who): Victim {
  const victim = nodesOf(status).find(IS[who]);
  if (!victim) throw new LabError(`no ${who} in the status: ${status.sentence}`);
  return victim;
}
