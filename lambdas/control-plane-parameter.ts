/** The parameter by which the command line finds a deployment: its name and its shape. Holds names only, nothing secret. */
import * as z from 'zod';

export const CONTROL_PLANE_PARAMETER = '/fiware-ha/control-plane';

export const controlPlaneSchema = z.object({
  tableName: z.string().min(1),
  queues: z.object({ 'health-check': z.string().min(1), provision: z.string().min(1), failover: z.string().min(1) }),
  tickEveryS: z.coerce.number(),
});

export type ControlPlaneParameter = z.output<typeof controlPlaneSchema>;
