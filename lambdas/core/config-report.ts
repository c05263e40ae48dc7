/** What a node tells of its own configuration, read from the words of its admin port. Believes no more than a version or a path; asks nobody. */

/** The version its process runs, or what is not as it was applied: a file, or keepalived; neither while the node is silent. */
export interface ConfigReport {
  configVersion?: string;
  drifted?: string;
}

/** What a balancer reports in place of a file when keepalived, which serves none of its checks, has ended. */
const KEEPALIVED = 'keepalived';

/** Drift, for people: `somebody edited FILE`, or `keepalived has stopped`. */
export function driftWords(drifted: string): string {
  return drifted === KEEPALIVED ? 'keepalived has stopped' : `somebody edited ${drifted}`;
}

/** Of a node that does not name the file (one installed by an earlier release). */
const SOME_FILE = 'a file';

/** Anything but a version or `drifted: FILE` is no report: it may come from whoever took the port. */
export function readConfigReport(text: string): ConfigReport {
  const words = text.trim();
  if (/^[0-9a-f]{4,32}$/.test(words)) return { configVersion: words };
  const drift = /^drifted(?:: ([A-Za-z0-9._/-]{1,100}))?$/.exec(words);
  return drift ? { drifted: drift[1] ?? SOME_FILE } : {};
}
