/** AWS' two wire protocols as far as a call can be told and refused by them: EC2's forms and XML, everybody else's JSON. Sends nothing. */

/** One call as it arrived: the operation, and its form fields (EC2) or its JSON body (all others). */
export interface Call {
  operation: string;
  form: Record<string, string>;
  json: Record<string, unknown>;
  /** Where it was sent: SQS' form of a call names its queue there. */
  path?: string;
}

/** Headers and body to answer with. */
export interface Answer {
  status: number;
  headers?: Record<string, string>;
  body: string;
}

/** The call that a request makes; `target` is its header x-amz-target. @throws where a body with a target is no JSON */
export function callOf(target: string | undefined, body: string, path = '/'): Call {
  if (target) return { operation: target.split('.').at(-1) ?? '', form: {}, json: JSON.parse(body) };
  const form = Object.fromEntries(new URLSearchParams(body));
  return { operation: form.Action ?? '', form, json: {}, path };
}

/** EC2's XML for an error. */
export function xmlError(code: string, status = 400, message = 'in words'): Answer {
  const error = `<Error><Code>${code}</Code><Message>${message}</Message></Error>`;
  return { status, body: `<?xml version="1.0"?><Response><Errors>${error}</Errors><RequestID>r</RequestID></Response>` };
}

/** The JSON protocols of DynamoDB, SSM and SQS. */
export function json(value: unknown, status = 200, headers: Record<string, string> = {}): Answer {
  return { status, headers: { 'content-type': 'application/x-amz-json-1.0', ...headers }, body: JSON.stringify(value) };
}

/** A refusal as the service words it; the request names its resource only where the action has one. */
export function refusal({ form }: Call, sessionArn: string, { action, resource }: { action: string; resource: string }): Answer {
  const named = resource === '*' ? '' : ` on resource: ${resource}`;
  const words = `User: ${sessionArn} is not authorized to perform: ${action}${named} because no identity-based policy allows the ${action} action`;
  if (form.Action)
    return xmlError(
      'UnauthorizedOperation',
      403,
      `You are not authorized to perform this operation. ${words}. Encoded authorization failure message: ${'x'.repeat(900)}`,
    );
  const isQueue = action.startsWith('sqs:');
  const headers: Record<string, string> = isQueue ? { 'x-amzn-query-error': 'AccessDenied;Sender' } : {};
  const type = isQueue ? 'com.amazon.coral.service#AccessDeniedException' : 'AccessDeniedException';
  return json({ __type: type, message: words }, isQueue ? 403 : 400, headers);
}
