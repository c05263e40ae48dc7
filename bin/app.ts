/** The CDK app: one stack, checked by cdk-nag at every synth, and the clusters it is told to declare. Needs no credentials. */
import { readFileSync } from 'node:fs';
import { App, AspectPriority, Aspects, CliCredentialsStackSynthesizer, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import type { SpecInput } from '../lambdas/core/spec';
import { ControlPlaneStack, isLab } from '../lib/control-plane-stack';
import { DeclaredCluster } from '../lib/declared-cluster';
import { TakeOutForEmulator } from '../lib/emulator';
import { SettingError } from '../lib/setting-error';
import { CommandError } from './cli/command-error';
import { readJsonFile } from './cli/json-file';

const readText = (file: string) => readFileSync(file, 'utf8');

/** Declares the clusters of `-c fiware-ha:clusters=city.json,water.json`. */
function declareClusters(stack: ControlPlaneStack): void {
  const files = String(stack.node.tryGetContext('fiware-ha:clusters') ?? '');
  for (const file of files.split(',').filter((part) => part.trim() !== '')) {
    const spec = readJsonFile({ readText }, 'context fiware-ha:clusters', file.trim()) as SpecInput;
    new DeclaredCluster(stack, `Cluster${spec.name}`, spec);
  }
}

/** Makes the stack of the context: the lab's, or the one for AWS. */
function compose(app: App): void {
  if (isLab(app)) {
    // The emulator enforces IAM, and the bootstrap roles may not upload assets there; the caller's own credentials may.
    const stack = new ControlPlaneStack(app, 'FiwareHa', { synthesizer: new CliCredentialsStackSynthesizer() });
    const takeOut = new TakeOutForEmulator();
    Aspects.of(stack).add(takeOut, { priority: AspectPriority.MUTATING });
    app.synth();
    for (const line of takeOut.lines()) console.error(line);
  } else {
    declareClusters(new ControlPlaneStack(app, 'FiwareHa', { description: 'Keeps FIWARE clusters alive on EC2 (fiware-ha)' }));
    Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  }
}

try {
  compose(new App());
} catch (error) {
  if (!(error instanceof SettingError || error instanceof CommandError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
