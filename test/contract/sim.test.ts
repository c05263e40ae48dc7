import type { Ports } from '../../lambdas/app/ports';
import { makeSimPorts } from '../../sim/sim-ports';
import { World } from '../../sim/world';
import { describeAllContracts } from './all';
import type { Subject } from './subject';

const CALL_MAX_MS = 60_000;

/** Ports whose calls move virtual time on until they are answered; the simulation alone moves it otherwise. */
function driven(world: World): Ports {
  let pending = 0;
  let moving: Promise<unknown> = Promise.resolve();
  const drive = async <T>(call: () => Promise<T>): Promise<T> => {
    pending++;
    const answer = call().finally(() => pending--);
    answer.catch(() => undefined);
    const { scheduler } = world;
    moving = moving.then(() => scheduler.runUntil(scheduler.nowMs + CALL_MAX_MS, () => pending === 0));
    await moving;
    return answer;
  };
  const wrap = (port: object): object =>
    Object.fromEntries(
      Object.entries(port).map(([name, call]: [string, (...args: unknown[]) => unknown]) => [
        name,
        (...args: unknown[]) => drive(async () => call(...args)),
      ]),
    );
  const ports = makeSimPorts(world);
  const { clock, telemetry, ...called } = ports;
  return {
    ...(Object.fromEntries(Object.entries(called).map(([name, port]) => [name, wrap(port)])) as unknown as Ports),
    clock,
    telemetry,
  };
}

describeAllContracts({
  name: 'the simulation',
  open: async (): Promise<Subject> => {
    const world = new World({ seed: 1 });
    return {
      ports: driven(world),
      pass: async (ms) => {
        await world.pass(ms / 1000);
      },
      zones: world.settings.zones,
      instanceType: 't3.small',
    };
  },
});
