/** The functions' environment: every variable by name, parsed once. Reads nothing else and makes no client. */
import * as z from 'zod';
import { byRole } from './core/names';

const whole = (min: number, max: number) => z.coerce.number().int().min(min).max(max);
const url = z.string().regex(/^https?:\/\/\S+$/, 'expected a queue URL');

/** A variable that holds JSON, or `word` as it is; a bad one is named like any other. */
function json<T extends z.ZodType>(schema: T, word?: string) {
  return z
    .string()
    .transform((text, ctx): unknown => {
      try {
        return text === word ? word : JSON.parse(text);
      } catch {
        ctx.addIssue({ code: 'custom', message: 'expected JSON' });
        return z.NEVER;
      }
    })
    .pipe(schema);
}

const oneARole = z.strictObject(byRole(() => z.string().min(1)));
/** A list, because zone names are tokens at synth and tokens can't be keys. */
const subnets = z.array(z.strictObject({ zone: z.string().min(1), public: z.string().min(1), private: z.string().min(1) })).min(1);
const documents = z.union(
  [
    z.literal('shell'),
    z.strictObject({
      'apply-config': z.string().min(1),
      'restart-role': z.string().min(1),
      'replica-set': z.string().min(1),
      'repair-majority': z.string().min(1),
    }),
  ],
  { error: 'expected the word shell, or document names by command: apply-config, restart-role, replica-set, repair-majority' },
);

const environment = z.object({
  TABLE_NAME: z.string().min(1),
  HEALTH_CHECK_QUEUE_URL: url,
  PROVISION_QUEUE_URL: url.optional(),
  FAILOVER_QUEUE_URL: url.optional(),
  /** Seconds between two sweeps. */
  TICK_EVERY_S: whole(1, 60).default(10),
  TERMINATIONS_PER_10_MIN: whole(1, 1000).default(10),
  PROBE_TIMEOUT_MS: whole(100, 30_000).default(2_000),
  /** Subnets by zone; balancers stand in public ones, all other nodes in private ones. */
  SUBNETS: json(subnets),
  LAUNCH_TEMPLATES: json(oneARole),
  /** AMI ids, or `resolve:ssm:…` for the newest of a public parameter. */
  IMAGE_IDS: json(oneARole),
  /** Names of the custom SSM documents, or the word `shell` for emulators, which run AWS-RunShellScript alone. */
  COMMAND_DOCUMENTS: json(documents, 'shell'),
  PLACEMENT_GROUPS: z.enum(['on', 'off']).default('on'),
});

export type Environment = z.output<typeof environment>;
export type EnvironmentInput = Record<string, string>;

/** Values for `environmentOf`, as a deployment knows them; queue URLs only of queues the function may send to. */
export interface DeploymentValues {
  tableName: string;
  queueUrls: { 'health-check': string; provision?: string; failover?: string };
  tickEveryS: number;
  terminationsPer10Min: number;
  probeTimeoutMs: number;
  subnets: Environment['SUBNETS'];
  launchTemplates: Environment['LAUNCH_TEMPLATES'];
  imageIds: Environment['IMAGE_IDS'];
  commandDocuments: Environment['COMMAND_DOCUMENTS'];
  placementGroups: 'on' | 'off';
}

/** The variables of a function, for its deployment. `stringify` turns values with tokens into JSON (CDK: `stack.toJsonString`). */
export function environmentOf(values: DeploymentValues, stringify: (value: unknown) => string = JSON.stringify): EnvironmentInput {
  const { queueUrls, commandDocuments } = values;
  return {
    TABLE_NAME: values.tableName,
    HEALTH_CHECK_QUEUE_URL: queueUrls['health-check'],
    ...(queueUrls.provision ? { PROVISION_QUEUE_URL: queueUrls.provision } : {}),
    ...(queueUrls.failover ? { FAILOVER_QUEUE_URL: queueUrls.failover } : {}),
    TICK_EVERY_S: String(values.tickEveryS),
    TERMINATIONS_PER_10_MIN: String(values.terminationsPer10Min),
    PROBE_TIMEOUT_MS: String(values.probeTimeoutMs),
    SUBNETS: stringify(values.subnets),
    LAUNCH_TEMPLATES: stringify(values.launchTemplates),
    IMAGE_IDS: stringify(values.imageIds),
    COMMAND_DOCUMENTS: commandDocuments === 'shell' ? 'shell' : stringify(commandDocuments),
    PLACEMENT_GROUPS: values.placementGroups,
  };
}

/** Parses the environment. @throws one Error that names every missing or wrong variable, its value and what to do. */
export function parseEnvironment(env: Record<string, string | undefined>): Environment {
  const result = environment.safeParse(env);
  if (result.success) return result.data;
  const problems = result.error.issues.map(({ path, message }) => {
    const [name = '', ...rest] = path.map(String);
    const value = env[name];
    return value === undefined ? `${name}: missing` : `${[name, ...rest].join('.')}: ${message}; got ${JSON.stringify(value.slice(0, 80))}`;
  });
  throw new Error(`environment: ${problems.join('; ')}. The stack sets these variables: deploy it again, or set them by hand`);
}
