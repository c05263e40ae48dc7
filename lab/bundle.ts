/** Bundles what runs on the lab's nodes in the place of images to one executable file each. Needs nothing of the network. */
import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';

export interface BundledPrograms {
  /** Takes the place of mongod: `mongod --config /etc/mongod.conf`. */
  mongod: string;
  /** Takes the place of contextBroker, whose options it accepts and ignores; configured by ORION_… variables. */
  contextBroker: string;
  /** Of Cygnus' shape; configured by CYGNUS_… variables. */
  cygnus: string;
  /** A real IoT agent on iotagent-node-lib; configured by IOTA_… variables. */
  iotAgent: string;
}

const ENTRIES: Record<keyof BundledPrograms, string> = {
  mongod: join(__dirname, 'replica-set-stand-in', 'main.ts'),
  contextBroker: join(__dirname, 'broker-stand-in', 'main.ts'),
  cygnus: join(__dirname, 'cygnus-stand-in', 'main.ts'),
  iotAgent: join(__dirname, 'iot-agent', 'main.ts'),
};

/** Writes one program, with everything it needs in it, to `outfile`, for Node 18 and later. */
export async function bundle(entry: string, outfile: string): Promise<string> {
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node18',
    format: 'cjs',
    banner: { js: '#!/usr/bin/env node' },
    // Optional parts: encryption, compression and cloud logins of MongoDB's driver, a look at an MQTT broker's health.
    external: [
      'mqtt',
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

/** Writes all of them into `outDir`. */
export async function bundlePrograms(outDir: string): Promise<BundledPrograms> {
  mkdirSync(outDir, { recursive: true });
  const names = Object.keys(ENTRIES) as (keyof BundledPrograms)[];
  const files = await Promise.all(names.map(async (name) => [name, await bundle(ENTRIES[name], join(outDir, name))] as const));
  return Object.fromEntries(files) as Record<keyof BundledPrograms, string>;
}
