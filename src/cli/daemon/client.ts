/** The way from a command to the daemon of its home: node:http over its socket, and nothing that takes time to load. */

import { Agent, request as httpRequest } from 'node:http';
import { FAILURES, type FailureCode } from '../../../machines/failure.ts';
import { type SupervisorError, supervisorError } from '../../errors.ts';
import type { HttpErrorCode } from '../../gateway/http/http-error.ts';
import type { DaemonState } from './contracts.ts';
import { findSocket } from './socket-path.ts';

export interface RequestOptions {
  readonly body?: unknown;
  readonly signal?: AbortSignal;
}

export interface DaemonClient {
  /** As it was when it was found. */
  readonly state: DaemonState;
  readonly socketPath: string;
  /** The parsed answer. Rejects with the error that the daemon had, as a SupervisorError. */
  request(method: 'GET' | 'POST', path: string, options?: RequestOptions): Promise<unknown>;
}

/** The daemon that runs on that home; null when there is none. */
export async function findDaemon(home: string, signal?: AbortSignal): Promise<DaemonClient | null> {
  const socketPath = await findSocket(home);
  if (socketPath === null) return null;
  const agent = new Agent({ keepAlive: true, maxSockets: 4 });
  const request = (method: string, path: string, { body, signal: own = signal }: RequestOptions = {}) =>
    send({ agent, socketPath, method, path, body, signal: own });
  try {
    const state = (await request('GET', '/daemon')) as DaemonState;
    return { state, socketPath, request };
  } catch (error) {
    agent.destroy();
    if (isAbsent(error)) return null;
    throw error;
  }
}

/** HOME_NO_DAEMON when there is none. */
export async function needDaemon(home: string, signal?: AbortSignal): Promise<DaemonClient> {
  const daemon = await findDaemon(home, signal);
  if (daemon !== null) return daemon;
  throw noDaemon(home);
}

export const noDaemon = (home: string) =>
  supervisorError('HOME_NO_DAEMON', { message: `No daemon runs on ${home}.`, data: { home } });

/** Nobody listens: no file, or one that a dead daemon left. */
const isAbsent = (error: unknown) =>
  /^(ENOENT|ECONNREFUSED|ENOTSOCK)$/.test(String((error as { code?: unknown }).code));

interface Sending {
  readonly agent: Agent;
  readonly socketPath: string;
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
  readonly signal: AbortSignal | undefined;
}

function send({ agent, socketPath, method, path, body, signal }: Sending): Promise<unknown> {
  const text = body === undefined ? undefined : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const request = httpRequest({
      agent,
      socketPath,
      method,
      path,
      ...(signal === undefined ? {} : { signal }),
      headers: {
        host: 'localhost',
        accept: 'application/json',
        ...(text === undefined
          ? {}
          : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
      },
    });
    const failed = (error: NodeJS.ErrnoException) => {
      if (signal?.aborted) reject(supervisorError('CALL_CANCELLED', { message: 'The command was interrupted.' }));
      else if (isAbsent(error)) reject(error);
      else reject(ended(error));
    };
    request.on('error', failed);
    request.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', failed);
      response.on('end', () => {
        const answer = parsed(Buffer.concat(chunks).toString('utf8'));
        const status = response.statusCode ?? 500;
        if (status < 400) resolve(answer);
        else reject(errorOf(answer, status));
      });
    });
    request.end(text);
  });
}

function parsed(text: string): unknown {
  try {
    return text === '' ? null : JSON.parse(text);
  } catch {
    return text;
  }
}

const ended = (error: Error) =>
  supervisorError('INTERNAL_CLOSED', {
    message: `The daemon ended before it answered (${error.message}).`,
    hint: 'Look whether it runs with `mcp-supervisor serve --status`, and try again.',
  });

/** The daemon's error as it was made there. */
export function errorOf(body: unknown, status: number): SupervisorError {
  const answer = typeof body === 'string' ? parsed(body) : body;
  const told = (answer as { error?: Record<string, unknown> } | null)?.error ?? {};
  const { code, message, hint, plugin, stderrTail, data, fate } = told;
  const words = typeof message === 'string' ? message : `The daemon answered with HTTP status ${status}.`;
  const known = typeof code === 'string' && Object.hasOwn(FAILURES, code) ? (code as FailureCode) : null;
  const ofFront = typeof code === 'string' && Object.hasOwn(OF_FRONT, code) ? OF_FRONT[code as HttpErrorCode] : null;
  return supervisorError(
    known ?? ofFront ?? 'INTERNAL_ERROR',
    {
      message: words,
      // What the front advises is for whoever writes requests.
      ...(typeof hint === 'string' && known !== null ? { hint } : {}),
      ...(known === null && ofFront === 'INTERNAL_ERROR' ? { hint: OTHER_VERSION } : {}),
      ...(Array.isArray(stderrTail) ? { stderrTail: stderrTail.map(String) } : {}),
      data: { ...(data as object | undefined), ...(fate === undefined ? {} : { fate }) },
    },
    typeof plugin === 'string' ? plugin : null,
  );
}

/** What the front refuses by itself, as a command tells it. To whoever comes by the socket most of it never happens. */
const OF_FRONT: Readonly<Record<HttpErrorCode, FailureCode>> = {
  HTTP_BAD_REQUEST: 'CALL_BAD_ARGUMENTS',
  HTTP_TOO_LARGE: 'CALL_TOO_LARGE',
  HTTP_RATE_LIMIT: 'CALL_QUEUE_FULL',
  HTTP_CLOSING: 'INTERNAL_CLOSED',
  HTTP_NOT_FOUND: 'INTERNAL_ERROR',
  HTTP_METHOD: 'INTERNAL_ERROR',
  HTTP_ENCODING: 'INTERNAL_ERROR',
  HTTP_UNAUTHORIZED: 'INTERNAL_ERROR',
  HTTP_FORBIDDEN: 'INTERNAL_ERROR',
  HTTP_HOST: 'INTERNAL_ERROR',
  HTTP_ORIGIN: 'INTERNAL_ERROR',
};

const OTHER_VERSION =
  'Command and daemon are of different versions, perhaps: end it with `mcp-supervisor serve --stop`, and start it anew.';
