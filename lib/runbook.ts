/** Links from alarms to the runbook; the headings are kept in docs/runbook.md, and a test holds that they exist. */

export type RunbookHeading =
  | 'dead-letters'
  | 'missing-ticks'
  | 'old-messages'
  | 'function-errors'
  | 'breaker-open'
  | 'blocked-decisions'
  | 'all-brokers-sick'
  | 'majority-lost'
  | 'rollout-stopped';

/** An alarm's text: what is wrong, and where to read on. */
export function runbook(heading: RunbookHeading, what: string): string {
  return `${what}. What to do: docs/runbook.md#${heading}`;
}
