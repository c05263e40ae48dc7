/** The stack: the control plane with the settings of the CDK context. Composes, nothing more. */
import { Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import * as z from 'zod';
import { byRole, ROLES } from '../lambdas/core/names';
import { ControlPlane, type ControlPlaneProps } from './control-plane';
import { LAB_EVENT_SOURCE } from './emulator';
import { SettingError } from './setting-error';

const imageIds = z.strictObject(byRole(() => z.string()));

/** A context value that holds JSON; undefined where it does not, which no schema takes. */
function parsed(value: unknown): unknown {
  try {
    return JSON.parse(String(value));
  } catch {
    return undefined;
  }
}

/** Reads `fiware-ha:*` of the context. @throws where a value is not what it should be, naming it */
export function propsFromContext(scope: Construct): ControlPlaneProps {
  const read = (key: string): unknown => scope.node.tryGetContext(`fiware-ha:${key}`);
  const whole = (key: string): number | undefined => {
    const value = read(key);
    if (value === undefined) return undefined;
    if (!/^\d+$/.test(String(value)))
      throw new SettingError(`context fiware-ha:${key}: expected a whole number, got ${JSON.stringify(value)}`);
    return Number(value);
  };
  const list = (key: string): string[] | undefined => {
    const value = read(key);
    if (value === undefined) return undefined;
    return String(value)
      .split(',')
      .map((item) => item.trim());
  };
  const [entryCidrs, entryPorts] = [list('entryCidrs'), list('entryPorts')];
  const props: ControlPlaneProps = {
    zones: whole('zones'),
    tickEveryS: whole('tickEveryS'),
    terminationsPer10Min: whole('terminationsPer10Min'),
    ...(entryCidrs ? { entryCidrs } : {}),
    // What is no number is refused as one, in the words of the property.
    ...(entryPorts ? { entryPorts: entryPorts.map(Number) } : {}),
  };
  if (!isLab(scope)) return props;
  const images = imageIds.safeParse(parsed(read('imageIds')));
  if (!images.success)
    throw new SettingError(`context fiware-ha:imageIds: expected JSON with an AMI for each of ${ROLES.join(', ')}; the lab sets it`);
  return { ...props, emulator: { imageIds: images.data, eventSource: LAB_EVENT_SOURCE } };
}

/** Whether the lab's context is set. */
export function isLab(scope: Construct): boolean {
  return String(scope.node.tryGetContext('fiware-ha:lab')) === 'true';
}

export class ControlPlaneStack extends Stack {
  readonly controlPlane: ControlPlane;

  constructor(scope: Construct, id: string, props: StackProps & { controlPlane?: ControlPlaneProps } = {}) {
    super(scope, id, props);
    this.controlPlane = new ControlPlane(this, 'ControlPlane', props.controlPlane ?? propsFromContext(this));
  }
}
