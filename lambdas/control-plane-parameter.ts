/** The parameter by which the command line finds a deployment: its name, its shape and its reading. Holds names only, nothing secret. */
import * as z from 'zod';

export const CONTROL_PLANE_PARAMETER = '/fiware-ha/control-plane';

export const controlPlaneSchema = z.object({
  tableName: z.string().min(1),
  queues: z.object({ 'health-check': z.string().min(1), provision: z.string().min(1), failover: z.string().min(1) }),
  tickEveryS: z.coerce.number(),
});

export type ControlPlaneParameter = z.output<typeof controlPlaneSchema>;

/** Reads the parameter's text. @throws one Error that names each wrong field. */
export function parseControlPlane(text: string | undefined): ControlPlaneParameter {
  let json: unknown;
  try {
    json = JSON.parse(text ?? '');
  } catch {
    throw new Error(`${CONTROL_PLANE_PARAMETER}: expected JSON; got ${JSON.stringify((text ?? '').slice(0, 60))}`);
  }
  const result = controlPlaneSchema.safeParse(json);
  if (result.success) return result.data;
  const problems = result.error.issues.map(({ path, message }) => `${path.map(String).join('.') || '(whole value)'}: ${message}`);
  throw new Error(`${CONTROL_PLANE_PARAMETER}: ${problems.join('; ')}`);
}
