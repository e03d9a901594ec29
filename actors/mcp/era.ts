import { createFailure, type Failure } from '../../machines/failure.ts';
import { isFields } from '../fields.ts';
import {
  CLIENT_INFO,
  type ClientCapabilities,
  LEGACY_VERSION,
  MODERN_VERSION,
  modernMeta,
  SERVER_INFO_KEY,
} from './meta.ts';
import { RPC } from './rpc-codes.ts';
import { SessionError } from './session-error.ts';

export interface Negotiated {
  readonly era: 'legacy' | 'modern';
  readonly protocolVersion: string;
  /** What the server said of itself, verbatim: `serverInfo`, `capabilities`, `instructions`. */
  readonly server: Readonly<Record<string, unknown>>;
}

/** `fresh`: it refused in a way that a fresh connection of that era may cure (the first frame can lock the era). */
export type Negotiation =
  | { readonly ok: true; readonly negotiated: Negotiated }
  | { readonly ok: false; readonly failure: Failure; readonly fresh: 'modern' | null };

/** `timeout` in milliseconds, where the usual one of the handshake is too patient. */
type Request = (method: string, params: unknown, timeout?: number) => Promise<unknown>;

/** A server that has just refused `initialize` is awake: silence on `server/discover` means no. */
const DISCOVER_TIMEOUT = 5000;

/**
 * Agrees on an era: `initialize` first, because every legacy and every dual-era server takes it while many die of
 * anything else; only when it is refused, `server/discover` on the same connection. Refusals and senseless answers are
 * results; a connection that breaks rejects with the `SessionError`.
 */
export async function negotiate(
  request: Request,
  era: 'auto' | 'legacy' | 'modern',
  redact: (text: string) => string = (text) => text,
  capabilities: ClientCapabilities = {},
): Promise<Negotiation> {
  if (era === 'modern') return discover(request, redact);
  const legacy = await attempt(() =>
    request('initialize', { protocolVersion: LEGACY_VERSION, capabilities, clientInfo: CLIENT_INFO }),
  );
  if (!(legacy instanceof SessionError)) return readInitializeResult(legacy, redact);
  const refused = refusal('initialize', legacy);
  if (era === 'legacy') return refused;
  try {
    const modern = await discover((method, params) => request(method, params, DISCOVER_TIMEOUT), redact);
    return modern.ok ? modern : { ...refused, fresh: 'modern' };
  } catch (thrown) {
    // It refused `initialize` and then hung up on `server/discover`: it may take the latter as its first frame.
    if (thrown instanceof SessionError) return { ...refused, fresh: 'modern' };
    throw thrown;
  }
}

/**
 * Whether a server that took `initialize` could have been asked in the modern era: one that never heard of
 * `server/discover` says so, while one that is locked into the handshake era refuses in another way.
 */
export async function knowsModern(request: Request): Promise<boolean> {
  try {
    const answer = await attempt(() =>
      request('server/discover', { _meta: modernMeta(MODERN_VERSION) }, DISCOVER_TIMEOUT),
    );
    return !(answer instanceof SessionError) || answer.failure.data.code !== RPC.methodNotFound;
  } catch (thrown) {
    if (thrown instanceof SessionError) return false;
    throw thrown;
  }
}

async function discover(request: Request, redact: (text: string) => string): Promise<Negotiation> {
  let version = MODERN_VERSION;
  let answer = await attempt(() => request('server/discover', { _meta: modernMeta(version) }));
  if (answer instanceof SessionError) {
    const offered = offeredVersion(answer);
    if (offered === null) return refusal('server/discover', answer);
    version = offered;
    answer = await attempt(() => request('server/discover', { _meta: modernMeta(version) }));
    if (answer instanceof SessionError) return refusal('server/discover', answer);
  }
  if (!isFields(answer) || !Array.isArray(answer.supportedVersions) || !isFields(answer.capabilities)) {
    return senseless('server/discover', answer, redact);
  }
  const serverInfo = isFields(answer._meta) ? answer._meta[SERVER_INFO_KEY] : undefined;
  const server = serverInfo === undefined ? answer : { serverInfo, ...answer };
  return { ok: true, negotiated: { era: 'modern', protocolVersion: version, server } };
}

/** A modern revision that the server offers instead, or once more: a part of it may know what another one doesn't. */
function offeredVersion(error: SessionError): string | null {
  const { code, data } = error.failure.data;
  if (code !== RPC.unsupportedVersion || !isFields(data) || !Array.isArray(data.supported)) return null;
  const modern = data.supported.filter((one): one is string => typeof one === 'string' && one >= MODERN_VERSION);
  return modern.sort().at(0) ?? null;
}

function readInitializeResult(result: unknown, redact: (text: string) => string): Negotiation {
  // Hand-written servers leave out `serverInfo` or `capabilities`; the version is what makes it an answer.
  const { protocolVersion, capabilities } = isFields(result) ? result : {};
  if (!isFields(result) || typeof protocolVersion !== 'string') return senseless('initialize', result, redact);
  if (capabilities !== undefined && !isFields(capabilities)) return senseless('initialize', result, redact);
  return { ok: true, negotiated: { era: 'legacy', protocolVersion, server: result } };
}

/** Resolves with the result, or with the server's JSON-RPC error; a broken connection rejects. */
async function attempt(send: () => Promise<unknown>): Promise<unknown> {
  try {
    return await send();
  } catch (thrown) {
    if (thrown instanceof SessionError && thrown.failure.code === 'CALL_PROTOCOL_ERROR') return thrown;
    throw thrown;
  }
}

const refusal = (method: string, error: SessionError): Negotiation & { ok: false } => ({
  ok: false,
  fresh: null,
  failure: createFailure('PROBE_PROTOCOL', {
    message: `The server refused ${method}: ${error.failure.message}`,
    data: error.failure.data,
  }),
});

const senseless = (method: string, answer: unknown, redact: (text: string) => string): Negotiation => ({
  ok: false,
  fresh: null,
  failure: createFailure('PROBE_PROTOCOL', {
    message: `The answer to ${method} makes no sense: ${redact(JSON.stringify(answer) ?? 'nothing').slice(0, 200)}`,
  }),
});
