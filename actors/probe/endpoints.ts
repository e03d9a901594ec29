/** Which protocol does this socket speak, and at which path? One attempt per path, each on connections of its own. */

import type { LaunchPlan, Transport } from '../../launchers/plan.ts';
import type { Failure } from '../../machines/failure.ts';
import type { ListenSocket, Session } from '../context.ts';
import { type Connecting, connectHttp, connectSse, handshake } from '../mcp/connect.ts';
import { followProcess } from '../mcp/follow-process.ts';
import { createHttpClient, exchange, type HttpTarget, headerOf } from '../mcp/http-client.ts';
import { createPlainHttpSession } from '../mcp/plain-http.ts';
import { SessionError } from '../mcp/session-error.ts';
import type { Lines } from './lines.ts';
import { findOperations } from './openapi.ts';

export interface Search {
  readonly connecting: Connecting;
  readonly plan: LaunchPlan;
  readonly transport: Transport | 'auto';
  /** Path that is known; null tries the usual ones. */
  readonly endpoint: string | null;
  readonly era: 'auto' | 'legacy' | 'modern';
  readonly lines: Lines;
  /** Called once, when a process of the plugin first listens; the port is null for a Unix socket. */
  readonly listening: (port: number | null) => void;
  /** Called whenever a socket is seen on which others than this machine reach the plugin. */
  readonly exposed: (socket: ListenSocket) => void;
  readonly signal: AbortSignal;
}

export interface Found {
  readonly session: Session;
  /** Path that it was found at; null for stdio. */
  readonly endpoint: string | null;
  readonly port: number | null;
}

/** `http`: it answers, but not as asked; `silent`: no answer at all; `refused`: it speaks JSON-RPC and says no. */
export type Outcome =
  | { readonly kind: 'found'; readonly session: Session; readonly endpoint: string }
  | { readonly kind: 'refused'; readonly failure: Failure }
  | { readonly kind: 'http'; readonly status: number; readonly location: string | null }
  | { readonly kind: 'silent' };

const HTTP_PATHS = ['/mcp', '/', '/mcp/'];
const SSE_PATHS = ['/sse', '/mcp/sse'];
/** Milliseconds for one answer: at a path that is only a guess, and at one that is known. */
const GUESS_TIMEOUT = 3000;
const KNOWN_TIMEOUT = 10_000;
const HEALTH_TIMEOUT = 3000;
const HEALTH_BODY = 64 * 1024;

/** Tries every path that the transport allows until one is MCP; else the most telling outcome. */
export async function findMcp(target: HttpTarget, search: Search): Promise<Outcome> {
  const { transport, endpoint } = search;
  const paths = (usual: readonly string[]) => (endpoint === null ? usual : [endpoint]);
  let best: Outcome = { kind: 'silent' };
  const attempts = [
    ...(transport === 'sse' ? [] : paths(HTTP_PATHS).map((path) => () => tryHttp(target, path, search))),
    ...(transport === 'streamable-http' ? [] : paths(SSE_PATHS).map((path) => () => trySse(target, path, search))),
  ];
  for (const attempt of attempts) {
    const outcome = await attempt();
    if (outcome.kind === 'found') return outcome;
    best = moreTelling(best, outcome);
    // Nothing answers there at all: the other paths would only wait as long again.
    if (outcome.kind === 'silent' || search.signal.aborted) break;
  }
  return best;
}

const WEIGHT = { silent: 0, http: 1, refused: 2, found: 3 } as const;
const wantsLogin = (outcome: Outcome) => outcome.kind === 'http' && (outcome.status === 401 || outcome.status === 403);
const moreTelling = (one: Outcome, other: Outcome): Outcome =>
  WEIGHT[other.kind] > WEIGHT[one.kind] || (other.kind === one.kind && wantsLogin(other)) ? other : one;

async function tryHttp(target: HttpTarget, path: string, search: Search): Promise<Outcome> {
  const outcome = await openHttp(target, path, search);
  if (outcome.kind !== 'http' || outcome.location === null || (outcome.status !== 307 && outcome.status !== 308)) {
    return outcome;
  }
  // Starlette redirects `/mcp` to `/mcp/`, and a POST must go there itself.
  if (!URL.canParse(outcome.location, target.origin + path)) return outcome;
  const moved = new URL(outcome.location, target.origin + path);
  return moved.origin === new URL(target.origin).origin
    ? openHttp(target, moved.pathname + moved.search, search)
    : outcome;
}

async function openHttp(target: HttpTarget, path: string, search: Search): Promise<Outcome> {
  const session = await connectHttp(search.connecting, target, path);
  try {
    const outcome = await handshake(session, handshakeOptions(search));
    return outcome.ok ? { kind: 'found', session, endpoint: path } : { kind: 'refused', failure: outcome.failure };
  } catch (thrown) {
    if (!(thrown instanceof SessionError)) throw thrown;
    if (thrown.failure.code !== 'CALL_HTTP_ERROR') return { kind: 'silent' };
    const { status, location } = thrown.failure.data as { status: number; location?: string };
    return { kind: 'http', status, location: location ?? null };
  }
}

async function trySse(target: HttpTarget, path: string, search: Search): Promise<Outcome> {
  const session = await connectSse(search.connecting, target, path);
  try {
    const outcome = await handshake(session, handshakeOptions(search));
    return outcome.ok ? { kind: 'found', session, endpoint: path } : { kind: 'refused', failure: outcome.failure };
  } catch (thrown) {
    if (!(thrown instanceof SessionError)) throw thrown;
    const status = (await session.closed)?.data.status;
    return typeof status === 'number' && status > 0 ? { kind: 'http', status, location: null } : { kind: 'silent' };
  }
}

const handshakeOptions = ({ era, signal, endpoint }: Search) => ({
  era,
  signal,
  timeout: endpoint === null ? GUESS_TIMEOUT : KNOWN_TIMEOUT,
});

/**
 * A small service whose health path is all that it answers a GET at may die of another one, and its manifest names the path
 * of its document, if it has one; these servers' frameworks take any path.
 */
const TAKES_ANY_PATH = /uvicorn|hypercorn|granian|daphne|kestrel/i;

/**
 * A plain HTTP service is ready when its health path answers 2xx; without one, when it answers anything at `/` or has
 * said that it listens.
 */
export async function findPlainHttp(target: HttpTarget, search: Search): Promise<Outcome> {
  const { plan, lines, signal, connecting } = search;
  const client = await createHttpClient(target, connecting.process.remote);
  const answer = await exchange(
    client,
    { method: 'GET', path: plan.health ?? '/', headers: { accept: '*/*' } },
    { timeout: HEALTH_TIMEOUT, maxBody: HEALTH_BODY, signal },
  );
  const healthy = plan.health === null || (answer !== null && answer.status >= 200 && answer.status < 300);
  const ready = healthy && (answer !== null || lines.saysListening() !== null);
  if (!ready || signal.aborted) {
    client.close();
    return answer === null ? { kind: 'silent' } : { kind: 'http', status: answer.status, location: null };
  }
  const endpoint = search.endpoint ?? '/';
  const { process, limits } = connecting;
  const operations = await findOperations(client, {
    plan,
    base: endpoint,
    mayGuess: plan.health === null || TAKES_ANY_PATH.test(answer === null ? '' : headerOf(answer.headers, 'server')),
    signal,
    log: connecting.log,
  });
  if (signal.aborted) {
    client.close();
    return { kind: 'silent' };
  }
  const session = createPlainHttpSession({
    redact: process.redact,
    operations,
    generation: process.generation,
    client,
    path: endpoint,
    health: plan.health !== null ? { path: plan.health, mustBeOk: true } : answer && { path: '/', mustBeOk: false },
    limits,
  });
  followProcess(session, process, null);
  return { kind: 'found', session, endpoint };
}
