/**
 * Decides on each call to the emulator by what the caller's role may do on AWS, tags included: IAM's policy evaluation by a simulator, over
 * the synthesized policies. Root, which deploys the lab and looks at it, passes. Whatever is not understood is refused. Forwards nothing.
 */
import type { Counts } from '../guard';
import { ASKED, type Authorization, requestedTags, type World } from './authorizations';
import type { Deployed, StackRole } from './deployed';
import { isAllowed } from './verdicts';
import { type Answer, type Call, callOf, json, refusal, xmlError } from './wire';

/** A request as far as it is looked at. */
export interface Request {
  authorization: string | undefined;
  /** The header x-amz-target. */
  target: string | undefined;
  body: string;
  path?: string;
}

export type Verdict = { is: 'root' } | { is: 'allowed' } | { is: 'refused'; why: string; answer: Answer };

/** What the guard asks the emulator, as root. */
export interface Looks {
  /** Anew while the stack is still being deployed. @throws while a role's policies can not be known yet */
  deployed(): Promise<Deployed>;
  /** What stands in the account, of the ids named. */
  standing(ids: readonly string[]): Promise<World['standing']>;
}

interface Scope {
  accessKey: string;
  service: string;
}

/** Key and service of a signature: `AWS4-HMAC-SHA256 Credential=KEY/DAY/REGION/SERVICE/aws4_request, ...`. */
export function scopeOf(authorization: string | undefined): Scope | undefined {
  const [, accessKey, service] = /Credential=([^/\s,]+)\/[^/]+\/[^/]+\/([^/]+)\/aws4_request/.exec(authorization ?? '') ?? [];
  return accessKey && service ? { accessKey, service } : undefined;
}

const ID = /^(i|eni|eipalloc|eipassoc)-[0-9a-zA-Z-]+$/;

/** Ids in a call: values of EC2's form fields, and SSM's instances. */
function idsIn({ form, json: { InstanceIds } }: Call): string[] {
  const named = Array.isArray(InstanceIds) ? InstanceIds.map(String) : [];
  return [...Object.values(form), ...named].filter((value) => ID.test(value));
}

interface Session {
  role: StackRole;
  sessionArn: string;
  /** Context keys that all of its calls carry. */
  context: Record<string, string>;
}

export class Guard {
  /** Role names by the access keys that STS gave. */
  private readonly sessions = new Map<string, string>();
  private readonly interfaces = new Map<string, Record<string, string>>();
  readonly counts: Counts = {};

  constructor(
    private readonly isRoot: (accessKey: string) => boolean,
    private readonly looks: Looks,
  ) {}

  /** Notes an answer to root or to a role that later questions depend on: whose session a key is, what an instance's interface carries. */
  noteAnswer(request: Request, body: string): void {
    const call = callOf(request.target, request.body);
    if (call.operation === 'AssumeRole') {
      const accessKey = /<AccessKeyId>([^<]+)</.exec(body)?.[1];
      const roleArn = call.form.RoleArn ?? '';
      if (accessKey) this.sessions.set(accessKey, roleArn.slice(roleArn.lastIndexOf('/') + 1));
    }
    // The emulator has no interfaces: an instance's one has the tags that the launch asked for.
    const tags = requestedTags(call)['network-interface'] ?? {};
    if (call.operation === 'RunInstances')
      for (const [, id] of body.matchAll(/<instanceId>(i-[^<]+)</g)) if (id) this.interfaces.set(id, tags);
  }

  /** Whether answers to this request are to be noted. */
  isNoted({ target, body }: Request): boolean {
    return target === undefined && /(^|&)Action=(AssumeRole|RunInstances)(&|$)/.test(body);
  }

  async judge(request: Request): Promise<Verdict> {
    const scope = scopeOf(request.authorization);
    // Unsigned requests are the emulator's to refuse; its own health page is one.
    if (!scope || this.isRoot(scope.accessKey)) return { is: 'root' };
    // A question in the address could say another thing than the body that is looked at.
    if (request.path?.includes('?')) return this.notUnderstood(request, 'a call in its address: the adapters send none');
    try {
      const call = callOf(request.target, request.body, request.path);
      const deployed = await this.looks.deployed();
      const session = this.sessionOf(deployed, scope.accessKey);
      if (!session) return this.notUnderstood(request, `no role of the stack has the access key ${scope.accessKey}`);
      return await this.ask(deployed, session, scope, call);
    } catch (error) {
      return this.notUnderstood(request, error instanceof Error ? error.message : String(error));
    }
  }

  private notUnderstood({ target }: Request, why: string): Verdict {
    const answer = target ? json({ __type: 'AccessDeniedException', message: why }, 400) : xmlError('UnauthorizedOperation', 403, why);
    return { is: 'refused', why, answer };
  }

  private sessionOf({ roles, functionKeys }: Deployed, accessKey: string): Session | undefined {
    const ofFunction = functionKeys.get(accessKey);
    const role = roles.get(ofFunction?.roleName ?? this.sessions.get(accessKey) ?? '');
    if (!role) return undefined;
    const sessionArn = `${role.arn.replace(':iam:', ':sts:').replace(':role/', ':assumed-role/')}/${ofFunction ? 'function' : 'node'}`;
    return { role, sessionArn, context: ofFunction ? { 'lambda:SourceFunctionArn': ofFunction.functionArn } : {} };
  }

  private async ask({ deployment }: Deployed, { role, sessionArn, context }: Session, { service }: Scope, call: Call): Promise<Verdict> {
    const rule = ASKED[call.operation];
    const standing = await this.looks.standing(idsIn(call));
    for (const [id, one] of Object.entries(standing)) {
      const tags = this.interfaces.get(id);
      if (!tags) continue;
      one.interfaceId = id.replace(/^i-/, 'eni-');
      standing[one.interfaceId] = { tags };
    }
    const world = { place: deployment.place, launchTemplates: deployment.launchTemplates, standing };
    const unknown = { action: `${service}:${call.operation}`, resource: '*', context: {} };
    for (const authorization of rule ? rule(call, world) : [unknown]) {
      const allowed = rule !== undefined && (await isAllowed(role.arn, role.statements, authorization, context));
      this.count(role, authorization, allowed);
      if (!allowed)
        return {
          is: 'refused',
          why: `${role.name} may not ${authorization.action} on ${authorization.resource}`,
          answer: refusal(call, sessionArn, authorization),
        };
    }
    return { is: 'allowed' };
  }

  private count({ name }: StackRole, { action }: Authorization, allowed: boolean): void {
    const before = this.counts[name]?.[action] ?? { allowed: 0, refused: 0 };
    const verdict = allowed ? 'allowed' : 'refused';
    this.counts[name] = { ...this.counts[name], [action]: { ...before, [verdict]: before[verdict] + 1 } };
  }
}
