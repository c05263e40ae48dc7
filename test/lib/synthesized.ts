/** Synthesizes the control plane for tests and reads its template. Asserts nothing, deploys nothing. */
import { App } from 'aws-cdk-lib';
import type { Template } from 'aws-cdk-lib/assertions';
import type { Role } from '../../lambdas/core/names';
import type { ControlPlaneProps } from '../../lib/control-plane';
import { ControlPlaneStack } from '../../lib/control-plane-stack';

export interface Resource {
  id: string;
  properties: Record<string, unknown>;
}

/** The stack in an app of its own. CDK's own template validation is off: it takes seconds, and cfn-lint looks at the same. */
export function aStack(controlPlane?: ControlPlaneProps, context: Record<string, string> = {}): ControlPlaneStack {
  const app = new App({ context, builtinCloudFormationValidation: false, analyticsReporting: false });
  return new ControlPlaneStack(app, 'FiwareHa', controlPlane ? { controlPlane } : {});
}

/** All resources of a type, by their place in the template. */
export function resourcesOf(template: Template, type: string): Resource[] {
  return Object.entries(template.findResources(type)).map(([id, { Properties = {} }]) => ({ id, properties: Properties }));
}

/** One resource of a type, by a part of its logical id. @throws when there are none or several */
export function theResource(template: Template, type: string, idPart: string): Resource {
  const found = resourcesOf(template, type).filter(({ id }) => id.includes(idPart));
  const [only] = found;
  if (!only || found.length > 1) throw new Error(`${type} with ${idPart}: expected one, found ${found.map(({ id }) => id).join(', ')}`);
  return only;
}

/** A role as it stands in logical ids, which have no hyphens. */
export function inIds(role: Role): string {
  return role.replaceAll('-', '');
}

/** A value that CloudFormation fills in, as text: `<logical id.attribute>` where a resource stands, words for the partition and the like. */
export function shown(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  const { Ref, 'Fn::GetAtt': attribute, 'Fn::Join': join } = value as Record<string, unknown>;
  if (typeof Ref === 'string') return Ref.startsWith('AWS::') ? Ref.slice('AWS::'.length).toLowerCase() : `<${Ref}>`;
  if (Array.isArray(attribute)) return `<${attribute.join('.')}>`;
  if (Array.isArray(join) && Array.isArray(join[1])) return join[1].map(shown).join(String(join[0]));
  return JSON.stringify(value);
}

export interface Statement {
  sid: string;
  effect: 'Allow' | 'Deny';
  actions: string[];
  resources: string[];
  conditions: Record<string, Record<string, unknown>>;
}

function listOf(value: unknown): unknown[] {
  return value === undefined ? [] : Array.isArray(value) ? value : [value];
}

/** The statements of every policy whose logical id has `idPart`. */
export function statementsOf(template: Template, idPart: string): Statement[] {
  const policies = resourcesOf(template, 'AWS::IAM::Policy').filter(({ id }) => id.includes(idPart));
  if (policies.length === 0) throw new Error(`no policy with ${idPart} in its id`);
  return policies.flatMap(({ properties }) => {
    const { Statement } = properties.PolicyDocument as { Statement: Record<string, unknown>[] };
    return Statement.map(({ Sid, Effect, Action, Resource, Condition }) => ({
      sid: String(Sid ?? ''),
      effect: Effect === 'Deny' ? ('Deny' as const) : ('Allow' as const),
      actions: listOf(Action).map(String),
      resources: listOf(Resource).map(shown),
      conditions: (Condition ?? {}) as Statement['conditions'],
    }));
  });
}
