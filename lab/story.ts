/** The lab's story: create a cluster, scale it, kill parts of it under traffic, delete it; measured with a real clock. Repairs nothing itself. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import type { SlotSummary, StatusSummary } from '../lambdas/core/memory';
import { nodeIn, watchUntil } from './cluster-eye';
import { instanceContainers } from './docker';
import { showDenials } from './iam-denials';
import { LOCAL_ENTRY } from './keeper';
import { bringDown, bringUp, type Lab } from './lab';
import { LabError } from './lab-error';
import { whatIsLeft } from './leftovers';
import { PROJECT } from './paths';
import { isGood, type Recovery, type Report, renderJson, renderReport } from './report';
import { run, sleep } from './run-command';
import { ask, ENTITY_TYPE, entityId, startTraffic, type Traffic } from './traffic';

export const STORY_CLUSTER = 'city';

const CREATE_MS = 240_000;
const SCALE_MS = 120_000;
const REPAIR_MS = 180_000;
const DELETE_MS = 120_000;
const WRITE_EVERY_MS = 100;
const WRITE_TIMEOUT_MS = 2_000;
/** Traffic goes on for a while after a repair, so that a late failure is seen. */
const SETTLE_MS = 2_000;

export interface StoryOptions {
  /** Hears progress. */
  say: (line: string) => void;
  /** Hears the result. */
  print: (line: string) => void;
  json: boolean;
}
