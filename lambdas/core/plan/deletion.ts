/** Plans the end of a cluster: addresses, then instances, then its placement groups, spec and row. Runs only after a confirmed request. */
import { common, emptyStep, mayTry, type Situation, type Step } from './situation';

/** All that is left to remove; the row goes last, when nothing else is there. */
export function planDeletion(s: Situation): Step {
  const step = emptyStep();
  const why = 'the cluster is being deleted, as confirmed';
  for (const address of s.observation.addresses) {
    const base = `release/${address.allocationId}`;
    if (mayTry(s, base)) step.jobs.push({ kind: 'releaseAddress', ...common(s, base, why), allocationId: address.allocationId });
  }
  for (const node of s.observation.nodes) {
    const { role, slot, instanceId } = node.fact;
    const holdsAddress = s.observation.addresses.some((address) => address.holder === instanceId);
    const base = `terminate/${instanceId}`;
    if (mayTry(s, base))
      step.jobs.push({ kind: 'terminateNode', ...common(s, base, why), role, slot, instanceId, expect: { holdsAddress } });
  }
  const launching = s.inFlight.some((job) => job.kind === 'launchNode');
  const empty = s.observation.nodes.length === 0 && s.observation.addresses.length === 0;
  if (empty && !launching && s.inFlight.length === 0 && mayTry(s, 'forget'))
    step.jobs.push({
      kind: 'forgetCluster',
      ...common(s, 'forget', 'nothing of the cluster is left but its placement groups, spec and row'),
    });
  else if (!empty || s.inFlight.length > 0)
    step.notes.push(`deleting: ${s.observation.nodes.length} nodes and ${s.observation.addresses.length} addresses are left`);
  return step;
}
