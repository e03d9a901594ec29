/** A server that runs elsewhere: one address, asked over Streamable HTTP and then, where it knows no such thing, over SSE. */

import { createFailure, type Failure, type FailureDetails } from '../../machines/failure.ts';
import { networkHint } from '../clone/network-hint.ts';
import type { Remote } from '../context.ts';
import { connectHttp, connectSse, handshake } from '../mcp/connect.ts';
import type { HttpTarget } from '../mcp/http-client.ts';
import type { McpSession } from '../mcp/session.ts';
import { SessionError } from '../mcp/session-error.ts';
import { findPlainHttp, type Search } from './endpoints.ts';
import type { Verdict } from './network.ts';

/** Milliseconds for each message of the handshake: what sleeps in a cloud takes its time to wake. */
const ANSWER_TIMEOUT = 30_000;
const MOST_REDIRECTS = 5;
/** What a server of the older transport answers to a POST (MCP, "Backwards compatibility"). */
const NO_STREAMABLE_HTTP: readonly number[] = [400, 404, 405];

type Attempted = { readonly session: McpSession; readonly url: URL } | { readonly error: SessionError | Failure };
type Connect = typeof connectHttp;

/** Has a time limit of its own for every answer; rejects only when the signal is aborted (or by a bug). */
export async function probeRemote(search: Search, remote: Remote): Promise<Verdict> {
  search.listening(null);
  if (search.transport === 'http') return plain(search, remote);
  const first = search.transport === 'sse' ? null : await attempt(connectHttp, remote.url, search, remote);
  if (first !== null && ('session' in first || !mayBeSse(first.error, search))) return verdictOf(first, search, remote);
  const second = await attempt(connectSse, remote.url, search, remote);
  // What the transport that is asked for first said tells more, unless only the second one wants a login.
  const tells = first === null || 'session' in second || statusOf(second.error) === 401;
  return verdictOf(tells ? second : first, search, remote);
}

/** Only where the transport is open, and what answered is no modern server that refuses. */
const mayBeSse = (error: SessionError | Failure, { transport }: Search): boolean =>
  transport === 'auto' && NO_STREAMABLE_HTTP.includes(statusOf(error) ?? 0);

const statusOf = (error: SessionError | Failure): number | null => {
  const { code, data } = error instanceof SessionError ? error.failure : error;
  return code === 'CALL_HTTP_ERROR' || code === 'RUN_DISCONNECTED'
    ? ((data.status as number | undefined) ?? null)
    : null;
};

/** Follows redirects within the origin; beyond it only where no header of ours goes along, and never to plain HTTP. */
async function attempt(connect: Connect, from: URL, search: Search, remote: Remote): Promise<Attempted> {
  let url = from;
  for (let redirects = 0; ; redirects++) {
    const session = await connect(search.connecting, targetOf(url), url.pathname + url.search);
    let error: SessionError | Failure;
    try {
      const { era, signal } = search;
      const outcome = await handshake(session, { era, signal, timeout: ANSWER_TIMEOUT });
      if (outcome.ok) return { session, url };
      return { error: outcome.failure };
    } catch (thrown) {
      if (!(thrown instanceof SessionError)) throw thrown;
      error = await explained(thrown, session, search.signal);
    }
    const next = redirects < MOST_REDIRECTS ? redirectOf(error, url, remote) : null;
    if (next === null) return { error };
    url = next;
  }
}

/** Of a stream that never was, the session's end says more than the call that waited for it. */
async function explained(
  error: SessionError,
  session: McpSession,
  signal: AbortSignal,
): Promise<SessionError | Failure> {
  signal.throwIfAborted();
  if (error.failure.code !== 'CALL_INTERRUPTED' || session.transport !== 'sse') return error;
  return (await session.closed) ?? error;
}

function redirectOf(error: SessionError | Failure, from: URL, { headers }: Remote): URL | null {
  const { data } = error instanceof SessionError ? error.failure : error;
  const { status, location } = data as { status?: number; location?: string };
  if (status === undefined || ![301, 302, 307, 308].includes(status) || location === undefined) return null;
  if (!URL.canParse(location, from.href)) return null;
  const next = new URL(location, from);
  if (next.origin === from.origin) return next;
  const carriesNothing = Object.keys(headers).every((name) => name === 'user-agent');
  const isSafe = next.protocol === 'https:' || (next.protocol === 'http:' && from.protocol === 'http:');
  return carriesNothing && isSafe ? next : null;
}

const targetOf = (url: URL): HttpTarget => ({ origin: url.origin, socketPath: null });

function verdictOf(made: Attempted, search: Search, remote: Remote): Verdict {
  if ('session' in made) {
    const { session, url } = made;
    return { kind: 'found', found: { session, endpoint: url.pathname, port: null } };
  }
  return failed(made.error instanceof SessionError ? made.error.failure : made.error, search, remote);
}

async function plain(search: Search, remote: Remote): Promise<Verdict> {
  const { url } = remote;
  const outcome = await findPlainHttp(targetOf(url), { ...search, endpoint: url.pathname + url.search });
  if (outcome.kind === 'found') {
    return { kind: 'found', found: { session: outcome.session, endpoint: url.pathname, port: null } };
  }
  search.signal.throwIfAborted();
  const failure =
    outcome.kind === 'http'
      ? createFailure('CALL_HTTP_ERROR', { data: { status: outcome.status } })
      : createFailure('CALL_INTERRUPTED', { message: 'Nothing answers there.' });
  return failed(failure, search, remote);
}

/** What it means to somebody who gave an address. */
function failed(failure: Failure, { connecting }: Search, { url }: Remote): Verdict {
  const { redact } = connecting.process;
  const place = redact(url.host);
  const words = (code: Failure['code'], details: FailureDetails): Verdict => ({
    kind: 'failed',
    failure: createFailure(code, details),
    retry: null,
  });
  const status = statusOf(failure as Failure);
  if (status !== null && status > 0) return words(...ofStatus(status, failure, place, url));
  if (failure.code === 'PROBE_PROTOCOL' || failure.code === 'LAUNCH_MISSING_SERVICE') {
    return { kind: 'failed', failure, retry: null };
  }
  if (failure.code === 'CALL_TIMEOUT') {
    return words('PROBE_UNREACHABLE', { message: `${place} did not answer within ${ANSWER_TIMEOUT / 1000} s.` });
  }
  const message = `${place} could not be reached: ${failure.message}`;
  return words('PROBE_UNREACHABLE', { message, hint: networkHint(message) ?? nameHint(message) });
}

function ofStatus(
  status: number,
  { message, data }: Failure,
  place: string,
  url: URL,
): [Failure['code'], FailureDetails] {
  if (status === 401 || status === 403) {
    const challenge = typeof data.challenge === 'string' ? `: ${data.challenge}` : '';
    return ['PROBE_LOGIN', { message: `${place} wants a login (HTTP ${status}${challenge}).`, data }];
  }
  if (status === 407) return ['PROBE_UNREACHABLE', { message, hint: networkHint('407'), data }];
  if (status === 408 || status === 425 || status === 429 || status >= 500) {
    return ['PROBE_UNREACHABLE', { message: `${place} is not ready (HTTP ${status}). ${message}`, data }];
  }
  if (status >= 300 && status < 400) {
    const to = typeof data.location === 'string' ? ` to ${data.location}` : '';
    const hint = 'Give the address that it leads to, if you trust it with the headers.';
    return [
      'PROBE_PROTOCOL',
      { message: `${place} leads elsewhere${to} (HTTP ${status}), and that is not followed.`, hint, data },
    ];
  }
  const hint =
    url.pathname === '/'
      ? 'Give the path of its MCP endpoint, too: most end on /mcp or /sse.'
      : 'Check the path of the address: most MCP endpoints end on /mcp or /sse.';
  return ['PROBE_PROTOCOL', { message: `No MCP server answers there: ${message}`, hint, data }];
}

/** A name that is not known is most often a typing error. */
const nameHint = (said: string): string | undefined =>
  /ENOTFOUND|EAI_AGAIN/.test(said) ? 'Check the name of the host for a typing error, and the network.' : undefined;
