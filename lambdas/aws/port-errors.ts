/** Turns SDK errors into port errors; the one place that knows AWS's error names. Retries nothing: the SDK has done that. */
import { PortError, type PortErrorCode } from '../app/ports';

/** AWS's own names by what they mean to us. Sources: the error lists of the EC2, SSM, DynamoDB and SQS API references. */
const NAMES: Record<Exclude<PortErrorCode, 'invalid'>, readonly string[]> = {
  throttled: [
    'RequestLimitExceeded',
    'Throttling',
    'ThrottlingException',
    'ThrottledException',
    'TooManyRequestsException',
    'ProvisionedThroughputExceededException',
    'RequestThrottled',
    'RequestThrottledException',
    'TooManyUpdates',
    'OverLimit',
    'SlowDown',
  ],
  unavailable: [
    'RequestTimeout',
    'RequestTimeoutException',
    'TransactionConflictException',
    // Quotas of the account: another zone would not help, a person or time does.
    'AddressLimitExceeded',
    'InstanceLimitExceeded',
    'VcpuLimitExceeded',
    // Of the instance type: so many private addresses and no more.
    'PrivateIpAddressLimitExceeded',
    // Its last instance is still shutting down.
    'InvalidPlacementGroup.InUse',
  ],
  noCapacity: [
    'InsufficientInstanceCapacity',
    'InsufficientHostCapacity',
    'InsufficientReservedInstanceCapacity',
    'InsufficientAddressCapacity',
    'InsufficientFreeAddressesInSubnet',
    // The type is not offered in that zone.
    'Unsupported',
  ],
  notFound: [
    'InvalidInstanceID.NotFound',
    'InvalidAllocationID.NotFound',
    'InvalidAssociationID.NotFound',
    'InvalidAddress.NotFound',
    'InvalidNetworkInterfaceID.NotFound',
    'InvalidPlacementGroup.Unknown',
    'ParameterNotFound',
    'InvocationDoesNotExist',
  ],
  conflict: [
    'ConditionalCheckFailedException',
    'ParameterAlreadyExists',
    'Resource.AlreadyAssociated',
    'InvalidPlacementGroup.Duplicate',
    // The token was used before, with other parameters or for a node that is gone.
    'IdempotentParameterMismatch',
    'IdempotentInstanceTerminated',
  ],
  // InvalidInstanceId is SSM's: no agent is registered. InvalidInstanceID is EC2's: the instance is not running yet.
  notReady: ['InvalidInstanceId', 'InvalidInstanceID', 'IncorrectInstanceState', 'IncorrectState'],
  denied: [
    'UnauthorizedOperation',
    'AccessDenied',
    'AccessDeniedException',
    'AuthFailure',
    'OptInRequired',
    'ExpiredToken',
    'ExpiredTokenException',
    'RequestExpired',
    'InvalidClientTokenId',
    'UnrecognizedClientException',
    'SignatureDoesNotMatch',
    'CredentialsProviderError',
  ],
};

const CODE_OF = new Map(Object.entries(NAMES).flatMap(([code, names]) => names.map((name) => [name, code as PortErrorCode] as const)));

const MESSAGE_MAX_CHARS = 400;
/** EC2 adds a kilobyte that only `aws sts decode-authorization-message` can read. */
const ENCODED_REASON = /\s*Encoded authorization failure message: \S+/;

interface SdkError {
  name?: string;
  message?: string;
  /** Of Node's own network errors (ECONNREFUSED). */
  code?: string;
  $metadata?: { httpStatusCode?: number };
}

function codeOf({ name = '', $metadata }: SdkError): PortErrorCode {
  const known = CODE_OF.get(name);
  if (known) return known;
  // Network faults come without a status; answers of 5xx under many names.
  const status = $metadata?.httpStatusCode;
  if (status === undefined || status >= 500) return 'unavailable';
  if (status === 429) return 'throttled';
  return status === 403 ? 'denied' : 'invalid';
}

function isFromOutside(error: unknown): error is SdkError {
  if (error === null || typeof error !== 'object') return false;
  const { name = '', code, $metadata } = error as SdkError;
  return $metadata !== undefined || typeof code === 'string' || CODE_OF.has(name);
}

function wordsOf({ name = 'Error', message, code }: SdkError): string {
  const text = (message || code || 'no message').replace(ENCODED_REASON, '').trim();
  return `${name}: ${text.length > MESSAGE_MAX_CHARS ? `${text.slice(0, MESSAGE_MAX_CHARS)}...` : text}`;
}

/** A port error for what an SDK call threw; `what` says what was tried, for the reason people read. */
export function toPortError(error: unknown, what: string): PortError {
  if (error instanceof PortError) return error;
  const sdkError = (error ?? {}) as SdkError;
  return new PortError(codeOf(sdkError), `${what}: ${wordsOf(sdkError)}`);
}

/** Runs an SDK call and maps what AWS or the network made of it; an error of our own code passes as it is, because it is a bug. */
export async function callAws<T>(what: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw isFromOutside(error) ? toPortError(error, what) : error;
  }
}

/** Runs an SDK call; when it ends with `code`, that counts as the answer `instead`. */
export async function callAwsUnless<T, U>(code: PortErrorCode, instead: U, what: string, call: () => Promise<T>): Promise<T | U> {
  try {
    return await callAws(what, call);
  } catch (error) {
    if (error instanceof PortError && error.code === code) return instead;
    throw error;
  }
}
