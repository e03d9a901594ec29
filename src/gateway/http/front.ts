/** Takes one request from the socket to its route: door first, then address, then method; and tells what went wrong. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Log } from '../../../actors/context.ts';
import type { Principal } from '../contracts.ts';
import type { Door } from './door.ts';
import { CLOSED_BY_CALLER, type ErrorAnswer } from './error-answer.ts';
import { Exchange } from './exchange.ts';
import { HttpError } from './http-error.ts';
import { createOpenAnswers } from './open-answers.ts';
import { replyJson, setSecurityHeaders } from './reply.ts';
import { type FindRoute, type Methods, parsePath } from './routes.ts';
import type { Traffic } from './traffic.ts';

export interface FrontParts {
  /** The present one: it is another one after new options. */
  readonly door: () => Door;
  readonly findRoute: FindRoute;
  /** Path before all of ours, without a slash at its end; '' for none. */
  readonly basePath: string;
  readonly maxBody: () => number;
  readonly traffic: Traffic;
  readonly isClosed: () => boolean;
  readonly toErrorAnswer: (thrown: unknown) => ErrorAnswer;
  readonly log: Log;
}

/** What is read of a refused body, so that its sender hears of the refusal, before the connection is cut. */
const READ_ON = 64 * 1024 * 1024;

export interface Front {
  handle(request: IncomingMessage, response: ServerResponse): void;
  /** Hangs up on those who would not be let in any more: streams have no end of their own. */
  hangUp(isGood: (principal: Principal) => boolean): void;
}

export function createFront(parts: FrontParts): Front {
  const { findRoute, basePath, traffic, log } = parts;
  const open = createOpenAnswers<Seen>(({ route, response }) =>
    traffic.ended(route, response.headersSent ? response.statusCode : CLOSED_BY_CALLER),
  );

  async function serve(request: IncomingMessage, response: ServerResponse, seen: Seen): Promise<void> {
    setSecurityHeaders(response);
    const door = parts.door();
    if (!door.isReady()) await door.ready;
    const caller = door.look(request, response);
    if (caller === null) {
      seen.route = 'preflight';
      return;
    }
    const { path, search } = splitUrl(request.url ?? '/', basePath);
    // Asked by whoever watches over us, and by clients that look for a login: neither has a token.
    if (path.length === 1 && path[0] === 'healthz') {
      seen.route = '/healthz';
      return sayHealthy(request, response);
    }
    if (path[0] === '.well-known') throw notFound(path);
    const principal = door.admit(request, caller);
    seen.principal = principal;
    if (parts.isClosed()) throw new HttpError('HTTP_CLOSING', 'The gateway is closing.');
    const route = findRoute(path);
    if (route === undefined) throw notFound(path);
    seen.route = route.pattern;
    const method = request.method ?? 'GET';
    const answer = route.methods[(method === 'HEAD' ? 'GET' : method) as keyof Methods];
    if (answer !== undefined) return answer(new Exchange(response, path, search, principal, parts.maxBody()));
    response.setHeader('allow', route.allow);
    if (method !== 'OPTIONS') throw new HttpError('HTTP_METHOD', `${method} means nothing here.`);
    response.statusCode = 204;
    response.end();
  }

  function sayHealthy(request: IncomingMessage, response: ServerResponse): void {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      throw new HttpError('HTTP_METHOD', 'Only GET means something here.', { headers: { allow: 'GET, HEAD' } });
    }
    if (parts.isClosed()) throw new HttpError('HTTP_CLOSING', 'The gateway is closing.');
    replyJson(response, 200, { status: 'ok' });
  }

  function fail(thrown: unknown, request: IncomingMessage, response: ServerResponse, seen: Seen): void {
    const { status, headers, body } = parts.toErrorAnswer(thrown);
    const { method } = request;
    if (status === 500) log.error({ err: thrown, method, route: seen.route }, 'a request could not be answered');
    else log.debug({ method, route: seen.route, status, code: body.error.code }, 'a request was refused');
    if (status === CLOSED_BY_CALLER || response.headersSent) return void response.destroy();
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    replyJson(response, status, body);
    if (!request.complete) readOn(request);
  }

  return {
    handle(request, response) {
      const seen: Seen = { route: 'none', principal: null, response };
      traffic.began();
      open.add(seen);
      serve(request, response, seen).catch((thrown: unknown) => {
        try {
          fail(thrown, request, response, seen);
        } catch (error) {
          log.error({ err: error, route: seen.route }, 'an error could not be told');
          response.destroy();
        }
      });
    },
    hangUp(isGood) {
      for (const { principal, response } of open.all()) {
        if (principal !== null && !isGood(principal)) response.destroy();
      }
    },
  };
}

interface Seen {
  /** Label for the counters. */
  route: string;
  /** null: nobody was let in. */
  principal: Principal | null;
  readonly response: ServerResponse;
}

function splitUrl(url: string, basePath: string): { readonly path: readonly string[]; readonly search: string } {
  const end = url.indexOf('?');
  const whole = end < 0 ? url : url.slice(0, end);
  const search = end < 0 ? '' : url.slice(end + 1);
  const isBelow = basePath === '' || whole === basePath || whole.startsWith(`${basePath}/`);
  if (!isBelow) throw notFound([]);
  const rest = whole.slice(basePath.length);
  const path = rest === '' ? [] : rest.startsWith('/') ? parsePath(rest) : null;
  if (path === null) throw new HttpError('HTTP_BAD_REQUEST', 'The path can not be read.');
  return { path, search };
}

const BELOW_PLUGIN =
  'Below a plugin there are tools, tools/:tool, start, stop, restart, reset, logs, history, metrics, openapi.json and mcp.';

const notFound = (path: readonly string[]) =>
  new HttpError('HTTP_NOT_FOUND', 'There is nothing at this address.', {
    ...(path[0] === 'plugins' && { hint: BELOW_PLUGIN }),
  });

/** A sender that is cut off while it sends never reads what it was told. */
function readOn(request: IncomingMessage): void {
  let left = READ_ON;
  request.on('data', (chunk: Buffer) => {
    left -= chunk.length;
    if (left < 0) request.destroy();
  });
  request.on('error', () => {});
  request.resume();
}
