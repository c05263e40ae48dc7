/** Bundles both stand-ins to one executable file each, for the lab's node image. Needs nothing of the network. */
import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';

export interface BundledStandIns {
  /** Takes the place of mongod: `mongod --config /etc/mongod.conf`. */
  mongod: string;
  /** Takes the place of contextBroker, whose options it accepts and ignores; configured by ORION_… variables. */
  contextBroker: string;
}

const ENTRIES: Record<keyof BundledStandIns, string> = {
  mongod: join(__dirname, 'main.ts'),
  contextBroker: join(__dirname, '..', 'broker-stand-in', 'main.ts'),
};

async function bundle(entry: string, outfile: string): Promise<string> {
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node18',
    format: 'cjs',
    banner: { js: '#!/usr/bin/env node' },
    // The driver's optional parts: encryption, compression, cloud logins.
    external: [
      'mongodb-client-encryption',
      '@mongodb-js/zstd',
      'kerberos',
      'snappy',
      'socks',
      'aws4',
      'gcp-metadata',
      '@aws-sdk/credential-providers',
    ],
    logLevel: 'error',
  });
  chmodSync(outfile, 0o755);
  return outfile;
}

/** Writes `mongod` and `contextBroker` into `outDir`: executable, for Node 18 and later. */
export async function bundleStandIns(outDir: string): Promise<BundledStandIns> {
  mkdirSync(outDir, { recursive: true });
  const [mongod, contextBroker] = await Promise.all([
    bundle(ENTRIES.mongod, join(outDir, 'mongod')),
    bundle(ENTRIES.contextBroker, join(outDir, 'contextBroker')),
  ]);
  return { mongod, contextBroker };
}
