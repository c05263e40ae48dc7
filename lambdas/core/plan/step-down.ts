/** The step-down of a primary, before it leaves or restarts; and what the planner saw of the configuration. Chooses no primary. */
import type { JobOf } from '../jobs';
import { common, mayTry, type Situation } from './situation';

/** The configuration as it was observed; the primary compares it before it acts. */
export function expectedConfig({ mongo }: Situation): JobOf<'stepDownPrimary'>['expect'] {
  const hosts = (votes: boolean) => mongo.members.filter((m) => m.votes === votes).map((m) => m.host);
  return { setVersion: mongo.setVersion, voters: hosts(true), nonVoters: hosts(false) };
}

/** Undefined while there is no primary, nobody else could lead, or it may not be tried now. */
export function stepDownJob(s: Situation, reason: string): JobOf<'stepDownPrimary'> | undefined {
  const { primary, members } = s.mongo;
  const heir = members.some((m) => m.votes && m.serving && m.host !== primary?.host);
  if (!primary || !heir || !mayTry(s, 'step-down')) return undefined;
  return {
    kind: 'stepDownPrimary',
    ...common(s, 'step-down', reason),
    instanceId: primary.node.fact.instanceId,
    replicaSet: s.spec.mongo.replicaSet,
    expect: expectedConfig(s),
  };
}
