/** Opens an MCP session of each kind: connection, handshake, catalog. */

import type { Failure } from '../../machines/failure.ts';
import { createFailure } from '../../machines/failure.ts';
import type { Limits, Log, ProcessHandle } from '../context.ts';
import { knowsModern, type Negotiation, negotiate } from './era.ts';
import { followProcess } from './follow-process.ts';
import { createHttpWire } from './http.ts';
import { createHttpClient, type HttpTarget } from './http-client.ts';
import type { ClientCapabilities } from './meta.ts';
import { RPC } from './rpc-codes.ts';
import { createSession, type McpSession } from './session.ts';
import { SessionError } from './session-error.ts';
import { createSseWire } from './sse.ts';
import { createStdioWire } from './stdio.ts';

export interface Connecting {
  readonly process: ProcessHandle;
  readonly limits: Limits;
  /** What the server is told that its client can be asked; null (default): nothing, and whatever it asks is refused. */
  readonly capabilities?: ClientCapabilities | null;
  /** Every call is one client's: whatever the server asks, it is that one whom it asks. Default false. */
  readonly sole?: boolean;
  readonly log?: Log;
}

/** Over the process' pipes; `noise` gets every line of stdout that is no message, also after the session's end. */
export function connectStdio(connecting: Connecting, noise: (line: string) => void): McpSession {
  const { process, limits } = connecting;
  let stdoutEnded = () => {};
  const ended = new Promise<void>((resolve) => {
    stdoutEnded = resolve;
  });
  const session = createSession(
    process.generation,
    (events) => createStdioWire({ process, limits, noise, ended: stdoutEnded }, events),
    process.redact,
    connecting,
  );
  followProcess(session, process, ended);
  return session;
}

/** Over Streamable HTTP. */
export async function connectHttp(connecting: Connecting, target: HttpTarget, path: string): Promise<McpSession> {
  const { process, limits } = connecting;
  const client = await createHttpClient(target, process.remote);
  const { redact } = process;
  const interactive = connecting.capabilities != null;
  const tool = (name: string) => session.tools.find((each) => each.name === name);
  const session: McpSession = createSession(
    process.generation,
    (events) => createHttpWire({ client, path, limits, tool, redact, interactive }, events),
    redact,
    connecting,
  );
  followProcess(session, process, null);
  return session;
}

/** Over HTTP+SSE. */
export async function connectSse(connecting: Connecting, target: HttpTarget, path: string): Promise<McpSession> {
  const { process, limits } = connecting;
  const client = await createHttpClient(target, process.remote);
  const { redact } = process;
  const session = createSession(
    process.generation,
    (events) => createSseWire({ client, path, limits, redact }, events),
    redact,
    connecting,
  );
  followProcess(session, process, null);
  return session;
}

export interface HandshakeOptions {
  readonly era: 'auto' | 'legacy' | 'modern';
  readonly signal: AbortSignal;
  /** Milliseconds for each message of the handshake; the catalog has the usual call timeout. */
  readonly timeout: number;
  /** Called with the server's first answer, whatever it says. */
  readonly answered?: () => void;
}

/**
 * Handshake and catalog; afterwards the session is ready. Refusals and senseless answers are results and close the
 * session; a connection that breaks rejects with the `SessionError`, and the session is closed too.
 */
export async function handshake(
  session: McpSession,
  { era, signal, timeout, answered }: HandshakeOptions,
): Promise<Negotiation> {
  const request = (method: string, params: unknown, patience = timeout) => {
    const limit = Math.min(patience, timeout);
    const answer = session.request(method, params, { timeout: limit, hardTimeout: limit });
    answer.then(answered, (error: SessionError) => error.fate === 'answered' && answered?.());
    return answer;
  };
  const callOff = () => session.close(createFailure('CALL_CANCELLED', { message: 'The search was called off.' }));
  signal.addEventListener('abort', callOff, { once: true });
  try {
    const outcome = await negotiate(request, era, session.redact, session.capabilities ?? {});
    if (!outcome.ok) {
      session.close(outcome.failure);
      return outcome;
    }
    const failure = await openCatalog(session, outcome);
    if (failure === null) return outcome;
    const fresh = era === 'auto' && outcome.negotiated.era === 'legacy' && (await knowsModern(request));
    session.close(failure);
    return { ok: false, failure, fresh: fresh ? 'modern' : null };
  } catch (thrown) {
    if (thrown instanceof SessionError) session.close(thrown.failure);
    throw thrown;
  } finally {
    signal.removeEventListener('abort', callOff);
  }
}

/** A server that promises tools and then knows no `tools/list` has none; any other refusal is a failure. */
async function openCatalog(session: McpSession, outcome: Negotiation & { ok: true }): Promise<Failure | null> {
  try {
    await session.open(outcome.negotiated);
    return null;
  } catch (thrown) {
    if (!(thrown instanceof SessionError) || thrown.failure.code !== 'CALL_PROTOCOL_ERROR') throw thrown;
    if (thrown.failure.data.code === RPC.methodNotFound) return null;
    const { message, data } = thrown.failure;
    // Its tools come from somewhere else: nothing is wrong with how it speaks.
    return createFailure(UNREACHABLE.test(message) ? 'LAUNCH_MISSING_SERVICE' : 'PROBE_PROTOCOL', {
      message: `The server does not list its tools: ${message}`,
      data,
    });
  }
}

const UNREACHABLE =
  /fetch failed|failed to fetch|ENOTFOUND|ECONNREFUSED|EAI_AGAIN|ETIMEDOUT|getaddrinfo|name resolution|no such host|[Cc]onnection (refused|error)|[Cc]onnectError|unreachable/;
