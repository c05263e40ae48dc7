import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { CfnQueue } from 'aws-cdk-lib/aws-sqs';
import { AwsSolutionsChecks } from 'cdk-nag';
import { byRole, ROLES } from '../../lambdas/core/names';
import { aStack } from './synthesized';

const PROJECT = join(__dirname, '..', '..');
const OUT = mkdtempSync(join(tmpdir(), 'fiware-ha-synth-'));
const SYNTH_MS = 120_000;
afterAll(() => rmSync(OUT, { recursive: true, force: true }));

interface Synth {
  code: number | null;
  stderr: string;
  templateFile: string;
  /** The template; undefined where none was written. */
  template?: {
    Resources: Record<string, { Type: string; Properties?: Record<string, unknown> }>;
    Outputs?: Record<string, unknown>;
  };
}

/** Runs bin/app.ts as the CDK CLI does, without credentials; CDK's own template check is left to cfn-lint, which is faster. */
function synth(name: string, context: Record<string, string>): Synth {
  const outdir = join(OUT, name);
  const { app } = JSON.parse(readFileSync(join(PROJECT, 'cdk.json'), 'utf8')) as { app: string };
  const bare = Object.fromEntries(Object.entries(process.env).filter(([key]) => !/^(AWS|CDK)_/.test(key)));
  const env = {
    ...bare,
    CDK_OUTDIR: outdir,
    CDK_CONTEXT_JSON: JSON.stringify(context),
    CDK_VALIDATION: 'false',
    AWS_EC2_METADATA_DISABLED: 'true',
  };
  const ran = spawnSync(app, { cwd: PROJECT, env, shell: true, encoding: 'utf8' });
  const templateFile = join(outdir, 'FiwareHa.template.json');
  const template = existsSync(templateFile) ? (JSON.parse(readFileSync(templateFile, 'utf8')) as Synth['template']) : undefined;
  return { code: ran.status, stderr: ran.stderr, templateFile, ...(template ? { template } : {}) };
}

function once(make: () => Synth): () => Synth {
  let made: Synth | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

const LAB = {
  'fiware-ha:lab': 'true',
  'fiware-ha:imageIds': JSON.stringify(byRole((role) => `ami-${role}`)),
  'fiware-ha:entryPorts': '2026',
  'fiware-ha:tickEveryS': '2',
};
/** A file with a spec, as its author would name it in the context. */
function specFile(name: string, spec: object): string {
  const file = join(OUT, `${name}.json`);
  writeFileSync(file, JSON.stringify(spec));
  return file;
}

const CITY = { $schema: './docs/cluster-spec.schema.json', name: 'city', enablers: { cygnus: {} } };
const onAws = once(() => synth('aws', { 'fiware-ha:clusters': specFile('city', CITY) }));
const inLab = once(() => synth('lab', LAB));

function count({ template }: Synth, type: string): number {
  return Object.values(template?.Resources ?? {}).filter(({ Type }) => Type === type).length;
}

/** Names that Ref, GetAtt or DependsOn speak of and that the template lacks. */
function dangling({ template }: Synth): string[] {
  const known = new Set(Object.keys(template?.Resources ?? {}));
  const missing = new Set<string>();
  const visit = (value: unknown, key: string): void => {
    const [name] = [value].flat();
    const speaks = key === 'Ref' || key === 'Fn::GetAtt' || key === 'DependsOn';
    if (speaks && typeof name === 'string' && !name.startsWith('AWS::') && !known.has(name)) missing.add(name);
    if (value !== null && typeof value === 'object') for (const [inner, part] of Object.entries(value)) visit(part, inner);
  };
  visit(template?.Resources, '');
  // The bootstrap version is a parameter of the template, not a resource.
  return [...missing].filter((name) => name !== 'BootstrapVersion');
}

describe('the CDK app', () => {
  it(
    'synthesizes without credentials: three job queues with dead-letter queues, three functions, schedule, table',
    () => {
      const found = onAws();
      expect(found.stderr).toBe('');
      expect(found.code).toBe(0);
      expect(count(found, 'AWS::SQS::Queue')).toBe(6);
      expect(count(found, 'AWS::Lambda::Function')).toBe(3);
      expect(count(found, 'AWS::Events::Rule')).toBe(2);
      expect(count(found, 'AWS::DynamoDB::Table')).toBe(1);
      expect(dangling(found)).toEqual([]);
    },
    SYNTH_MS,
  );

  it(
    'is checked by cdk-nag at synth: a balancer open to everyone is refused',
    () => {
      const { code, stderr } = synth('open', { 'fiware-ha:entryCidrs': '0.0.0.0/0' });
      expect(code).not.toBe(0);
      expect(stderr).toContain('AwsSolutions-EC23');
    },
    SYNTH_MS,
  );

  it(
    'names a wrong setting of the context and what it expects, without a stack trace',
    () => {
      const { code, stderr } = synth('wrong', { 'fiware-ha:tickEveryS': '90' });
      expect(code).not.toBe(0);
      expect(stderr).toBe('tickEveryS: expected a whole number from 1 to 60, got 90; 10 is the default\n');
    },
    SYNTH_MS,
  );
});

describe('clusters of the context', () => {
  it(
    'are declared with the stack',
    () => {
      const parameters = Object.values(onAws().template?.Resources ?? {}).map(({ Properties }) => Properties ?? {});
      const declared = parameters.find(({ Name }) => Name === '/fiware-ha/clusters/city/spec');
      expect(JSON.parse(String(declared?.Value))).toEqual({ name: 'city', enablers: { cygnus: {} } });
    },
    SYNTH_MS,
  );

  it(
    'that are not valid are refused with field, value and fix, without a stack trace',
    () => {
      const { code, stderr } = synth('bad', { 'fiware-ha:clusters': specFile('bad', { name: 'bad', enablers: { cygnus: { count: 1 } } }) });
      expect(code).not.toBe(0);
      expect(stderr).toBe(
        'cluster "bad": enablers.cygnus.count: expected 2 to 4: one is active, the others wait: with one alone nobody takes over; got 1\n',
      );
    },
    SYNTH_MS,
  );
});

describe('cdk-nag', () => {
  const findings = (stack: ReturnType<typeof aStack>) =>
    new AwsSolutionsChecks(stack.node.root).validateScope(stack.node.root).violations.map(({ ruleName }) => ruleName);

  it('finds nothing that is not acknowledged', () => {
    expect(findings(aStack())).toEqual([]);
  });

  it('would find a queue without TLS', () => {
    const stack = aStack();
    new CfnQueue(stack, 'Plain', {});
    expect(findings(stack)).toContain('AwsSolutions-SQS4');
  });

  it('is answered with a written reason, never for a whole stack', () => {
    const acknowledged = aStack()
      .node.findAll()
      .flatMap((construct) =>
        construct.node.metadata
          .filter(({ type }) => type === 'aws:cdk:acknowledged-rules')
          .flatMap(({ data }) => Object.entries(data as Record<string, string>))
          .filter(([rule]) => rule.includes('AwsSolutions'))
          .map(([rule, reason]) => ({ path: construct.node.path, rule, reason })),
      );
    expect(acknowledged.length).toBeGreaterThan(0);
    for (const { path, reason } of acknowledged) {
      expect(path).toMatch(/^FiwareHa\/ControlPlane\/\w+\/./);
      expect(reason.length).toBeGreaterThan(40);
    }
  });
});

describe('the lab variant', () => {
  /** Types the emulator was seen to make; any other fails its whole template. */
  const HELD =
    /^AWS::(EC2::(VPC|Subnet|RouteTable|Route|SubnetRouteTableAssociation|InternetGateway|VPCGatewayAttachment|VPCEndpoint|SecurityGroup|LaunchTemplate)|IAM::\w+|Lambda::\w+|SQS::\w+|DynamoDB::Table|Events::Rule|Logs::LogGroup|CloudWatch::(Alarm|Dashboard)|SSM::Parameter|CDK::Metadata)$/;

  it(
    'holds only what the emulator can make, nothing that points at what was taken out, and says what that was',
    () => {
      const found = inLab();
      expect(found.code).toBe(0);
      const types = Object.values(found.template?.Resources ?? {}).map(({ Type }) => Type);
      expect(types.filter((type) => !HELD.test(type))).toEqual([]);
      expect(dangling(found)).toEqual([]);
      expect(Object.keys(found.template?.Outputs ?? {})).toEqual(
        expect.arrayContaining(ROLES.map((role) => `NodeRoleArn${role.replaceAll('-', '')}`)),
      );
      const said = found.stderr.split('\n').filter((line) => line.startsWith('taken out for the emulator: '));
      for (const type of ['AWS::EC2::EIP', 'AWS::EC2::NatGateway', 'AWS::EC2::FlowLog', 'AWS::SSM::Document'])
        expect(said).toContainEqual(expect.stringContaining(`${type} (`));
    },
    SYNTH_MS,
  );

  it(
    'hears state changes from the lab, sends plain shell commands and makes no placement groups',
    () => {
      const resources = Object.values(inLab().template?.Resources ?? {});
      const sources = resources.flatMap(({ Properties }) => (Properties?.EventPattern as { source?: string[] } | undefined)?.source ?? []);
      expect(sources).toEqual(['aws.ec2', 'fiware-ha.lab']);
      const functions = resources.filter(({ Type }) => Type === 'AWS::Lambda::Function');
      for (const { Properties } of functions)
        expect(Properties?.Environment).toMatchObject({
          Variables: { COMMAND_DOCUMENTS: 'shell', PLACEMENT_GROUPS: 'off', TICK_EVERY_S: '2', IMAGE_IDS: LAB['fiware-ha:imageIds'] },
        });
      expect(functions).toHaveLength(3);
    },
    SYNTH_MS,
  );

  it(
    'needs no roles of a bootstrapped account to deploy',
    () => {
      const manifest = readFileSync(join(inLab().templateFile, '..', 'manifest.json'), 'utf8');
      expect(manifest).not.toContain('assumeRoleArn');
    },
    SYNTH_MS,
  );
});

/** cfn-lint where there is one: named by CFN_LINT, in the lab's venv, or on the path. */
function findCfnLint(): string | undefined {
  const folders = [join(PROJECT, '.lab', 'venv', 'bin'), ...(process.env.PATH ?? '').split(delimiter)];
  return [process.env.CFN_LINT, ...folders.map((folder) => join(folder, 'cfn-lint'))].find(
    (file) => file !== undefined && existsSync(file),
  );
}

describe('cfn-lint', () => {
  const cfnLint = findCfnLint();
  const lint = (file: string) => spawnSync(cfnLint ?? '', ['--non-zero-exit-code', 'error', '--', file], { encoding: 'utf8' });

  (cfnLint ? it : it.skip).each([
    ['AWS', onAws],
    ['the lab', inLab],
  ] as const)(
    'finds no error in the template for %s',
    (_where, made) => {
      const { status, stdout, stderr } = lint(made().templateFile);
      expect(`${stdout}${stderr}`.match(/^E\d{4}.*$/gm) ?? []).toEqual([]);
      expect(status).toBe(0);
    },
    SYNTH_MS,
  );
});
