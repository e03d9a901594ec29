import { SupervisorError } from '../../../errors.ts';
import { hintFor } from '../../hint.ts';
import { asText } from '../as-text.ts';
import { RPC, RpcError } from '../rpc-error.ts';

/** Failures that find fault with the request itself. */
const BAD_REQUEST: ReadonlySet<string> = new Set([
  'CALL_BAD_ARGUMENTS',
  'CALL_NOT_JSON',
  'CALL_TOO_LARGE',
  'CALL_UNKNOWN_TOOL',
]);

/**
 * What a client is told of a call that failed: the plugin's own JSON-RPC error as it is; else ours, with what to do next in
 * the message itself, because most clients show nothing else (`data`: plugin, code, hint, fate, and `retryAfter` in seconds where waiting helps). `retryAt` is the plugin's.
 */
export function toRpcError(error: unknown, plugin: string, retryAt: string | null = null): RpcError {
  if (error instanceof RpcError) return error;
  if (!SupervisorError.is(error)) {
    return new RpcError(RPC.internalError, 'Something broke inside the gateway.', { plugin }, { cause: error });
  }
  const { code, message, data } = error;
  if (code === 'CALL_PROTOCOL_ERROR' && typeof data.code === 'number') {
    return new RpcError(data.code, asText(data.message), data.data, { cause: error });
  }
  const hint = hintFor(error.hint);
  const rpcCode = BAD_REQUEST.has(code) ? RPC.invalidParams : RPC.internalError;
  const more = {
    ...(data.fate === undefined ? {} : { fate: data.fate }),
    ...(retryAt === null ? {} : { retryAfter: Math.max(1, Math.ceil((Date.parse(retryAt) - Date.now()) / 1000)) }),
  };
  return new RpcError(
    rpcCode,
    `${plugin}: ${message} ${hint}`.trimEnd(),
    { plugin, code, hint, ...more },
    { cause: error },
  );
}
