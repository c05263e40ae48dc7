/** Renders a node's configuration files from its values. Text in, text out; sending and checking them is done elsewhere. */
import type { NodeConfig } from '../node-config';
import { renderEnabler } from './enabler';
import { renderLb } from './lb';
import { renderMongo } from './mongo';
import { renderOrion } from './orion';
import type { RenderedFile } from './rendered-file';

/** The files of a configuration; `version` is written into them so that a person or a probe can read it back. */
export function renderConfig(config: NodeConfig, version: string): RenderedFile[] {
  switch (config.role) {
    case 'lb':
      return renderLb(config, version);
    case 'orion':
      return renderOrion(config, version);
    case 'mongo':
      return renderMongo(config, version);
    default:
      return renderEnabler(config, version);
  }
}
