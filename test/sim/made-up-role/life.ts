/** A process that lives through the life of a cluster with the made-up role and prints what it saw, as one JSON line. Judges nothing. */
import { renderConfig } from '../../../lambdas/core/config/render';
import type { EnablerRole } from '../../../lambdas/core/names';
import { watch } from '../../../sim/checkers/watch';
import { makeRandom } from '../../../sim/random';
import type { SimNode } from '../../../sim/sim-node';
import { World } from '../../../sim/world';
import { nodeIn, nodesOf, rowOf, settle } from '../a-city';

const VANE = 'weather-vane' as EnablerRole;

function filesOf({ config }: SimNode): Record<string, string> {
  const files = config ? renderConfig(config, 'abcd') : [];
  return Object.fromEntries(files.map(({ name, content }) => [name, content]));
}

async function live() {
  const world = new World({ seed: 7 });
  const watching = watch(world, []);
  const vanes = () => Object.fromEntries(nodesOf(world, VANE).map(({ fact }) => [fact.slot, fact.incarnation]));
  world.send('provision', { kind: 'createCluster', cluster: 'city', spec: { enablers: { [VANE]: {} } } });
  await settle(world);
  const launched = vanes();
  const [vane1, vane2] = [nodeIn(world, VANE, 'vane1'), nodeIn(world, VANE, 'vane2')];
  const files = { ...filesOf(nodeIn(world, 'lb', 'lb1')), ...filesOf(vane1) };
  const address = rowOf(world)?.status?.addresses[0]?.publicIp;

  world.cloud.terminate(vane1.fact.instanceId, false);
  const standIn = world.dataPath.serviceFor('city', VANE, makeRandom(1))?.fact.slot;
  vane2.lostDatabase = true;
  await world.pass(90);
  await settle(world);
  const healed = vanes();
  const reconnected = vane2.lostDatabase === undefined;

  world.send('provision', { kind: 'scale', cluster: 'city', role: VANE, count: 1 });
  await settle(world);
  watching.end();
  const { violations } = watching;
  return { launched, address, vane1Ip: vane1.fact.privateIp, files, standIn, healed, reconnected, scaled: vanes(), violations };
}

live().then(
  (seen) => console.log(JSON.stringify(seen)),
  (error) => {
    console.error(error);
    process.exitCode = 1;
  },
);
