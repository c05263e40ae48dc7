/** The CDK app: one stack, checked by cdk-nag at every synth. Needs no credentials. */
import { App, AspectPriority, Aspects, CliCredentialsStackSynthesizer, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { ControlPlaneStack, isLab } from '../lib/control-plane-stack';
import { TakeOutForEmulator } from '../lib/emulator';
import { SettingError } from '../lib/setting-error';

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
    new ControlPlaneStack(app, 'FiwareHa', { description: 'Keeps FIWARE clusters alive on EC2 (fiware-ha)' });
    Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  }
}

try {
  compose(new App());
} catch (error) {
  if (!(error instanceof SettingError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
