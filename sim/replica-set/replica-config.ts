/** A replica-set configuration document and simple questions about it. Judges nothing: the rules are in config-rules.ts. */

export interface MemberConfig {
  _id: number;
  host: string;
  arbiterOnly: boolean;
  hidden: boolean;
  priority: number;
  votes: 0 | 1;
  /** Set by the primary on a new voter until it has caught up; it counts as without vote and priority meanwhile. */
  newlyAdded?: true;
}

export interface ReplicaSetConfig {
  _id: string;
  version: number;
  term: number;
  members: MemberConfig[];
  settings: { heartbeatIntervalMillis: number; electionTimeoutMillis: number; replicaSetId: string };
}

export type ConfigPosition = Pick<ReplicaSetConfig, 'term' | 'version'>;

export function isVoter(member: MemberConfig): boolean {
  return member.votes === 1 && !member.newlyAdded;
}

export function isElectable(member: MemberConfig): boolean {
  return member.priority > 0 && !member.arbiterOnly && !member.newlyAdded;
}

export function votersOf(config: ReplicaSetConfig): MemberConfig[] {
  return config.members.filter(isVoter);
}

/** Voters needed to elect, to commit a write and to commit a configuration. */
export function majorityOf(config: ReplicaSetConfig): number {
  return Math.floor(votersOf(config).length / 2) + 1;
}

/** Term of a forced configuration (OpTime::kUninitializedTerm): nobody was elected to make it. */
export const NO_TERM = -1;

/**
 * Positive when `a` is newer: the term decides, then the version; where one of them was forced the version alone
 * (ConfigVersionAndTerm in repl_set_config.h).
 */
export function compareConfigs(a: ConfigPosition, b: ConfigPosition): number {
  if (a.term === NO_TERM || b.term === NO_TERM) return a.version - b.version;
  return a.term - b.term || a.version - b.version;
}

/** The configuration as commands show it: MongoDB hides `newlyAdded` (toBSONWithoutNewlyAdded in repl_set_config.cpp). */
export function withoutNewlyAdded(config: ReplicaSetConfig): ReplicaSetConfig {
  return { ...config, members: config.members.map(({ newlyAdded: _hidden, ...member }) => member) };
}
