/** A cluster declared in a CDK app: its spec as a parameter, which the control plane finds and builds. Checked at synth; makes no node. */
import { StringParameter } from 'aws-cdk-lib/aws-ssm';
import { Construct } from 'constructs';
import { specParameterName } from '../lambdas/core/names';
import { parseSpec, type SpecInput } from '../lambdas/core/spec';
import { SettingError } from './setting-error';

export class DeclaredCluster extends Construct {
  /** The parameter holds the spec as it was given; defaults are filled in by the control plane that reads it. @throws where it is not valid, naming each field */
  constructor(scope: Construct, id: string, spec: SpecInput) {
    super(scope, id);
    const parsed = parseSpec(spec);
    if (!parsed.ok) throw new SettingError(parsed.problems.map((problem) => `cluster ${JSON.stringify(spec.name)}: ${problem}`).join('\n'));
    new StringParameter(this, 'Spec', {
      parameterName: specParameterName(parsed.value.name),
      description: 'fiware-ha: what this cluster should be',
      stringValue: JSON.stringify(spec, null, 2),
    });
  }
}
