/** A role that nobody has heard of runs once its entry stands in the list of the catalogue: nothing else knows roles by name. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { buildPatched } from '../../sim/swarm/mutate';

const FOLDER = join(__dirname, 'made-up-role');
const LIST = 'lambdas/core/catalogue/enablers.ts';

/** The whole change: an entry of its own, and its place in the list. */
const ADDED = {
  name: 'weather-vane',
  patches: [
    {
      file: LIST,
      find: "import { sthComet } from './sth-comet';",
      replace: `import { sthComet } from './sth-comet';\nimport { weatherVane } from '${join(FOLDER, 'weather-vane')}';`,
    },
    { file: LIST, find: 'iotagentUl, cygnus]', replace: 'iotagentUl, cygnus, weatherVane]' },
  ],
};

describe('a made-up role', () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'fiware-ha-made-up-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('is launched, offered, scaled and healed like any other', async () => {
    const program = join(folder, 'life.js');
    await buildPatched(join(FOLDER, 'life.ts'), program, ADDED);
    const { stdout } = await promisify(execFile)(process.execPath, [program], { timeout: 60_000 });
    const seen = JSON.parse(stdout);

    expect(seen.launched).toEqual({ vane1: 1, vane2: 1, vane3: 1 });
    expect(seen.files['service.conf']).toBe('points = north\n');
    expect(seen.files['service.env'].split('\n')).toEqual(
      expect.arrayContaining([
        'VANE_VERSION=1.2.0',
        `VANE_BROKER=${seen.address}:1026`,
        'FIWARE_HA_IMAGE=example/weather-vane:1.2.0',
        'FIWARE_HA_PORTS=9099',
        'FIWARE_HA_CONF_PATH=/etc/vane.conf',
        'FIWARE_HA_KEEPS=/var/lib/vane',
        'FIWARE_HA_CONFIG_VERSION=abcd',
      ]),
    );
    expect(seen.files['haproxy.cfg']).toContain('frontend vane\n  bind :9099\n');
    expect(seen.files['haproxy.cfg']).toContain(`  server vane1 ${seen.vane1Ip}:9099`);
    expect(seen.files['haproxy.cfg']).toContain('http-check send meth GET uri /wind?probe=1 hdr Fiware-Service fiwareha');
    expect(seen.standIn).toMatch(/^vane[23]$/);
    expect(seen.healed).toEqual({ vane1: 2, vane2: 1, vane3: 1 });
    expect(seen.reconnected).toBe(true);
    expect(seen.scaled).toEqual({ vane1: 2 });
    expect(seen.violations).toEqual([]);
  }, 90_000);
});
