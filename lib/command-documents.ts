/** The four SSM documents: the only commands the control plane may run on nodes. Each takes one base64 payload and hands it to one script. */
import { CfnDocument } from 'aws-cdk-lib/aws-ssm';
import { Construct } from 'constructs';
import type { Environment } from '../lambdas/env';

type CommandName = keyof Exclude<Environment['COMMAND_DOCUMENTS'], string>;
const COMMANDS: Record<CommandName, string> = {
  'apply-config': 'Takes a rendered configuration after checking it, and reports the version it runs.',
  'restart-role': 'Restarts the process of the node unless it answers, or whether it does or not where that is asked for.',
  'replica-set': 'Runs one guarded step on the replica set, on the primary.',
  'repair-majority': 'Forces the configuration of a replica set that lost its majority down to its survivors, once a person confirmed it.',
};

const PAYLOAD_MAX_CHARS = 40_000;
const RUN_TIMEOUT_S = 120;

export class CommandDocuments extends Construct {
  readonly documents: Record<CommandName, CfnDocument>;

  constructor(scope: Construct, id: string) {
    super(scope, id);
    this.documents = {
      'apply-config': this.make('apply-config'),
      'restart-role': this.make('restart-role'),
      'replica-set': this.make('replica-set'),
      'repair-majority': this.make('repair-majority'),
    };
  }

  private make(name: CommandName): CfnDocument {
    return new CfnDocument(this, name, {
      documentType: 'Command',
      documentFormat: 'JSON',
      targetType: '/AWS::EC2::Instance',
      updateMethod: 'NewVersion',
      content: {
        schemaVersion: '2.2',
        description: `fiware-ha: ${COMMANDS[name]}`,
        parameters: {
          Payload: {
            type: 'String',
            description: 'One JSON, base64',
            allowedPattern: '^[A-Za-z0-9+/]+={0,2}$',
            minChars: 4,
            maxChars: PAYLOAD_MAX_CHARS,
            interpolationType: 'ENV_VAR',
          },
        },
        mainSteps: [
          {
            action: 'aws:runShellScript',
            name: 'run',
            precondition: { StringEquals: ['platformType', 'Linux'] },
            inputs: {
              timeoutSeconds: String(RUN_TIMEOUT_S),
              // Agents older than ENV_VAR interpolation get the text itself; the pattern above leaves nothing a shell could act on.
              runCommand: [`[ -n "$SSM_Payload" ] || SSM_Payload='{{Payload}}'`, `exec /opt/fiware-ha/bin/${name} "$SSM_Payload"`],
            },
          },
        ],
      },
    });
  }

  /** Document names by command, for the functions. */
  get names(): Record<CommandName, string> {
    const { documents } = this;
    return {
      'apply-config': documents['apply-config'].ref,
      'restart-role': documents['restart-role'].ref,
      'replica-set': documents['replica-set'].ref,
      'repair-majority': documents['repair-majority'].ref,
    };
  }
}
