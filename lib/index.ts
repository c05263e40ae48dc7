/** What another CDK app imports: the control plane as a construct, and a spec as a declared cluster. */
export { ControlPlane, type ControlPlaneProps } from './control-plane';
export { ControlPlaneStack } from './control-plane-stack';
export { DeclaredCluster } from './declared-cluster';
