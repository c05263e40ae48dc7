/** Turns SDK errors into port errors; the one place that knows AWS's error names. */
import { PortError, type PortErrorCode } from '../app/ports';

const CODES: Record<string, PortErrorCode> = {
  RequestLimitExceeded: 'throttled',
  Throttling: 'throttled',
  ThrottlingException: 'throttled',
  TooManyRequestsException: 'throttled',
  ProvisionedThroughputExceededException: 'throttled',
  RequestThrottled: 'throttled',
  TooManyUpdates: 'throttled',
  SlowDown: 'throttled',
  InsufficientInstanceCapacity: 'noCapacity',
  InsufficientHostCapacity: 'noCapacity',
  InsufficientReservedInstanceCapacity: 'noCapacity',
  InsufficientAddressCapacity: 'noCapacity',
  Unsupported: 'noCapacity',
  'InvalidInstanceID.NotFound': 'notFound',
  'InvalidAllocationID.NotFound': 'notFound',
  'InvalidAssociationID.NotFound': 'notFound',
  ParameterNotFound: 'notFound',
  InvocationDoesNotExist: 'notFound',
  ResourceNotFoundException: 'notFound',
  ConditionalCheckFailedException: 'conflict',
  TransactionCanceledException: 'conflict',
  ParameterAlreadyExists: 'conflict',
  'Resource.AlreadyAssociated': 'conflict',
  InvalidInstanceId: 'notReady',
  IncorrectInstanceState: 'notReady',
  IncorrectState: 'notReady',
  UnauthorizedOperation: 'denied',
  AccessDenied: 'denied',
  AccessDeniedException: 'denied',
  AuthFailure: 'denied',
  'AWS.SimpleQueueService.NonExistentQueue': 'invalid',
};

/** Network faults and 5xx answers, which carry no AWS error name we know. */
function codeOf(error: { name?: string; $metadata?: { httpStatusCode?: number } }): PortErrorCode {
  const known = CODES[error.name ?? ''];
  if (known) return known;
  const status = error.$metadata?.httpStatusCode;
  if (status === undefined || status >= 500) return 'unavailable';
  return status === 403 ? 'denied' : 'invalid';
}

/** A port error for whatever an SDK call threw; `what` says what was tried, for the reason people read. */
export function toPortError(error: unknown, what: string): PortError {
  if (error instanceof PortError) return error;
  const e = (error ?? {}) as { name?: string; message?: string; $metadata?: { httpStatusCode?: number } };
  return new PortError(codeOf(e), `${what}: ${e.name ?? 'Error'}: ${e.message ?? String(error)}`);
}

/** Runs an SDK call and maps what it throws. */
export async function callAws<T>(what: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw toPortError(error, what);
  }
}
