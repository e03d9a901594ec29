/** What went wrong as HTTP tells it: a status, and one JSON shape for whatever it was. */

import type { Failure } from '../../../machines/failure.ts';
import { SupervisorError } from '../../errors.ts';
import type { PluginStatus } from '../../options.ts';
import { hintFor } from '../hint.ts';
import { HttpError } from './http-error.ts';
import { CallerGone } from './read-body.ts';

export interface ErrorAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: { readonly error: Readonly<Record<string, unknown>> };
}

/** nginx's number for a caller who hung up: it is never sent, only logged and counted. */
export const CLOSED_BY_CALLER = 499;
/** Seconds after which a start that takes long may be looked at again. */
const STARTING_AGAIN = 5;

/** `statusOf` tells when a plugin is tried again; undefined for one that is gone. */
export function toErrorAnswer(
  thrown: unknown,
  statusOf: (plugin: string) => PluginStatus | undefined,
  now: () => number = Date.now,
): ErrorAnswer {
  if (thrown instanceof HttpError) {
    const { code, status, message, hint, headers } = thrown;
    return { status, headers, body: { error: { code, phase: 'http', message, hint, plugin: null, stderrTail: [] } } };
  }
  if (thrown instanceof CallerGone) return toAnswer(CLOSED_BY_CALLER, internal(thrown.message), null);
  if (!SupervisorError.is(thrown)) return toAnswer(500, internal('Something broke inside the gateway.'), null);
  const { plugin, data } = thrown;
  const status = statusOfFailure(thrown);
  const wait = retryAfter(thrown, status, plugin === null ? undefined : statusOf(plugin), now);
  return toAnswer(status, thrown, wait, {
    plugin,
    ...(data.fate === undefined ? {} : { fate: data.fate }),
    // The plugin's own words: its JSON-RPC error, or its HTTP status and body.
    ...(thrown.code === 'CALL_PROTOCOL_ERROR' || thrown.code === 'CALL_HTTP_ERROR' ? { data } : {}),
  });
}

/** JSON-RPC codes that find fault with the request. */
const RPC_STATUS: Readonly<Record<number, number>> = { [-32600]: 400, [-32601]: 404, [-32602]: 400, [-32002]: 404 };

function statusOfFailure({ code, phase, data }: SupervisorError): number {
  switch (code) {
    case 'CONFIG_UNKNOWN_PLUGIN':
    case 'CALL_UNKNOWN_TOOL':
      return 404;
    case 'CALL_BAD_ARGUMENTS':
    case 'CALL_NOT_JSON':
    case 'CONFIG_INVALID':
      return 400;
    case 'CALL_TOO_LARGE':
      return 413;
    case 'CALL_QUEUE_FULL':
      return 429;
    case 'CALL_TIMEOUT':
      return 504;
    case 'CALL_CANCELLED':
      return CLOSED_BY_CALLER;
    case 'CALL_START_TIMEOUT':
    case 'CALL_STOPPED':
    case 'INTERNAL_CLOSED':
      return 503;
    case 'CALL_PROTOCOL_ERROR':
      return (typeof data.code === 'number' && RPC_STATUS[data.code]) || 502;
    case 'INTERNAL_ERROR':
      return 500;
  }
  if (phase === 'call') return 502;
  // It was in service when the call was given to it; without a fate it is the reason why it isn't.
  return phase === 'run' && data.fate !== undefined ? 502 : 503;
}

/** Whole seconds; null where nothing says that waiting helps. */
function retryAfter(
  { code }: SupervisorError,
  status: number,
  plugin: PluginStatus | undefined,
  now: () => number,
): number | null {
  if (status === 429) return 1;
  if (status !== 503 || code === 'CALL_STOPPED' || code === 'INTERNAL_CLOSED') return null;
  if (plugin?.retryAt != null) return Math.max(1, Math.ceil((Date.parse(plugin.retryAt) - now()) / 1000));
  return code === 'CALL_START_TIMEOUT' ? STARTING_AGAIN : null;
}

type Told = Pick<Failure, 'code' | 'phase' | 'message' | 'hint' | 'stderrTail'>;

const internal = (message: string): Told => ({
  code: 'INTERNAL_ERROR',
  phase: 'internal',
  message,
  hint: 'Look into its log.',
  stderrTail: [],
});

const toAnswer = (
  status: number,
  { code, phase, message, hint, stderrTail }: Told,
  wait: number | null,
  more: Readonly<Record<string, unknown>> = { plugin: null },
): ErrorAnswer => ({
  status,
  headers: wait === null ? {} : { 'retry-after': String(wait) },
  body: {
    error: {
      code,
      phase,
      message,
      hint: hintFor(hint),
      ...more,
      ...(wait === null ? {} : { retryAfter: wait }),
      stderrTail,
    },
  },
});
