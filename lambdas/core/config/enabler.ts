/** Renders the files of a role of the catalogue: its environment, and the one file its process may read beside it. Knows no role by name. */
import { enablerEntry } from '../catalogue/enablers';
import type { EnablerConfig } from '../node-config';
import { environmentFile, type RenderedFile } from './rendered-file';

/** What the scripts of a node are told: which image runs, on which ports, what it reads and what must outlive it. */
export function renderEnabler(config: EnablerConfig, version: string): RenderedFile[] {
  const entry = enablerEntry(config.role);
  const file = entry.file(config.version, config);
  const { ports } = entry;
  const content = environmentFile({
    ...entry.environment(config.version, config),
    FIWARE_HA_IMAGE: entry.image(config.version),
    FIWARE_HA_PORTS: entry.frontends.map((name) => ports[name]).join(','),
    ...(file ? { FIWARE_HA_CONF_PATH: file.path } : {}),
    ...(entry.keeps.length > 0 ? { FIWARE_HA_KEEPS: entry.keeps.join(',') } : {}),
    FIWARE_HA_CONFIG_VERSION: version,
  });
  return [
    { name: 'service.conf', content: file?.content ?? '' },
    { name: 'service.env', content },
  ];
}
