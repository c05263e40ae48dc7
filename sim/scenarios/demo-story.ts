/** The story of the demo: what an operator's worst week holds, one act after the other. Only names the acts. */
import type { SimNode } from '../sim-node';
import type { World } from '../world';
import { type Act, CLUSTER } from './story';

function nodesOf(world: World, role: SimNode['fact']['role']): SimNode[] {
  return [...world.cloud.nodes.values()].filter(({ fact }) => fact.cluster === CLUSTER && fact.role === role && fact.state === 'running');
}

function pick(world: World, nodes: SimNode[]): SimNode {
  const node = nodes[Math.floor(world.random() * nodes.length)];
  if (!node) throw new Error('the story expects a node here');
  return node;
}

function nameOf({ fact }: SimNode): string {
  return `${fact.slot} (${fact.instanceId}, ${fact.zone})`;
}

function holder(world: World): SimNode {
  const holders = new Set([...world.cloud.addresses.values()].map((address) => address.holder));
  return pick(
    world,
    nodesOf(world, 'lb').filter(({ fact }) => holders.has(fact.instanceId)),
  );
}

function kill(world: World, node: SimNode): string {
  world.cloud.terminate(node.fact.instanceId, false);
  return nameOf(node);
}

function scale(name: string, count: number): Act {
  return {
    name,
    isFault: false,
    act: (world) => {
      world.send('provision', { kind: 'scale', cluster: CLUSTER, role: 'orion', count });
      return `orion=${count}`;
    },
  };
}

const ZONE_LOST_S = 240;

/** Create, grow, five kinds of trouble, shrink, delete. */
export const DEMO_STORY: readonly Act[] = [
  {
    name: 'create',
    isFault: false,
    act: (world) => {
      world.send('provision', { kind: 'createCluster', cluster: CLUSTER });
      return '2 balancers, 2 brokers, 3 members';
    },
  },
  scale('scale out', 4),
  { name: 'kill balancer', isFault: true, act: (world) => kill(world, holder(world)) },
  {
    name: 'hang balancer',
    isFault: true,
    act: (world) => {
      const node = holder(world);
      node.hung = true;
      return nameOf(node);
    },
  },
  {
    name: 'kill broker process',
    isFault: true,
    act: (world) => {
      const node = pick(world, nodesOf(world, 'orion'));
      node.process = 'dead';
      return nameOf(node);
    },
  },
  { name: 'kill broker', isFault: true, act: (world) => kill(world, pick(world, nodesOf(world, 'orion'))) },
  {
    name: 'kill Mongo primary',
    isFault: true,
    act: (world) => {
      const primary = world.replicaSets.primaryOf(CLUSTER);
      if (!primary) throw new Error('the story expects a primary here');
      return kill(world, primary);
    },
  },
  {
    name: 'lose a zone',
    isFault: true,
    act: (world) => {
      const { zone } = holder(world).fact;
      world.faults.zonesLost.add(zone);
      return `${zone}, for ${ZONE_LOST_S} s`;
    },
    endsAfterS: ZONE_LOST_S,
    end: (world) => world.faults.zonesLost.clear(),
  },
  scale('scale in', 2),
  {
    name: 'delete',
    isFault: false,
    act: (world) => {
      world.send('provision', { kind: 'deleteCluster', cluster: CLUSTER, confirm: CLUSTER });
      return CLUSTER;
    },
  },
];
