/** What a server said instead of a result, as an error of ours. */

import type { JsonRpcMessage } from '../context.ts';
import { redactValue } from '../redact.ts';
import { RPC } from './rpc-codes.ts';
import { type SessionError, sessionError } from './session-error.ts';

/** Of what ought to be a word or a number and came from outside. */
export const words = (value: unknown): string => (typeof value === 'object' ? JSON.stringify(value) : String(value));

/** The error as the server gave it, without secrets; one that is no error object is told as it stands. */
export function protocolError(
  given: NonNullable<JsonRpcMessage['error']>,
  redact: (text: string) => string,
): SessionError {
  const isObject = typeof given === 'object' && typeof given.message === 'string';
  const { code, data, ...error } = isObject ? given : { code: RPC.internalError, message: JSON.stringify(given) };
  const message = redact(error.message);
  return sessionError('CALL_PROTOCOL_ERROR', 'answered', {
    message: `${message} (${words(code)})`,
    data: { code, message, ...(data !== undefined && { data: redactValue(data, redact) }) },
  });
}
