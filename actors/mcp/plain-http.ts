/** A plain HTTP service as a session: a payload is POSTed, or one request of the caller's own making goes out. */

import type { Health } from '../../machines/contracts.ts';
import { createFailure, type Failure } from '../../machines/failure.ts';
import type { Limits, RequestOptions, Session, ToolDescription } from '../context.ts';
import { type HttpClient, type HttpHeaders, type HttpRequest, headerOf } from './http-client.ts';
import { createHttpErrors } from './http-error.ts';
import { isObject } from './json-rpc.ts';
import { BadArgument, requestOf } from './openapi/request.ts';
import { type Answer, toolResult } from './openapi/result.ts';
import type { Operation } from './openapi/tools.ts';
import { createPendingCalls } from './pending-calls.ts';
import { watchReachability } from './reachability.ts';
import { interrupted, type SessionError, sessionError } from './session-error.ts';
import { resultTooLarge } from './stdio.ts';

export interface PlainHttpOptions {
  readonly generation: number;
  /** Owned by the session from now on. */
  readonly client: HttpClient;
  /** Path that a bare payload is POSTed to. */
  readonly path: string;
  /** How it is asked whether it still answers; null: there is no path that it is known to answer at. */
  readonly health: { readonly path: string; readonly mustBeOk: boolean } | null;
  /** What its OpenAPI document describes; none: one tool makes any request. */
  readonly operations?: readonly Operation[];
  readonly limits: Limits;
  /** Takes secrets out of what errors quote. */
  readonly redact: (text: string) => string;
}

export interface PlainHttpSession extends Session {
  /** Its process or connection is gone: everything in flight is settled, `closed` resolves with the failure. */
  lost(failure: Failure): void;
}

export function createPlainHttpSession({
  generation,
  client,
  path,
  health,
  operations = [],
  limits,
  redact,
}: PlainHttpOptions): PlainHttpSession {
  const httpError = createHttpErrors(redact);
  const { origin } = client.target;
  const tools = operations.length > 0 ? operations.map(({ tool }) => tool) : [REQUEST_TOOL];
  const aborts = new Map<number, () => void>();
  let ended: Failure | null = null;
  let settleClosed: (failure: Failure | null) => void = () => {};
  const closed = new Promise<Failure | null>((resolve) => {
    settleClosed = resolve;
  });

  const stop = (id: number) => {
    aborts.get(id)?.();
    aborts.delete(id);
  };
  /** A request was given up without a word from the server since. */
  let unanswered = false;
  const calls = createPendingCalls((call, why) => {
    unanswered ||= why.code === 'CALL_TIMEOUT';
    stop(call.id);
  });
  const end = (reason: Failure, outcome: Failure | null) => {
    if (ended !== null) return;
    ended = reason;
    calls.rejectAll((call) => interrupted(call.method, reason, 'sent-unknown'));
    reachability.stop();
    for (const id of [...aborts.keys()]) stop(id);
    client.close();
    settleClosed(outcome);
  };
  const reachability = watchReachability(client, (failure) => end(failure, failure));

  /** What the answer is worth: a value, or the SessionError that is thrown. */
  type Read = (answer: Answer, headers: HttpHeaders) => unknown;

  const readValue: Read = ({ status, contentType, body }, headers) => {
    if (status >= 300) throw httpError(status, headers, body.toString());
    try {
      return decode(body, contentType);
    } catch {
      throw httpError(status, headers, body.toString(), 'The answer says that it is JSON, but it is not');
    }
  };

  const send = (request: HttpRequest, options: RequestOptions, read: Read = readValue): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const label = `${request.method} ${request.path}`;
      if (ended !== null) return reject(interrupted(label, ended, 'not-sent'));
      if (options.signal?.aborted) return reject(sessionError('CALL_CANCELLED', 'not-sent'));
      const { id } = calls.open(label, options, resolve, reject);
      const fail = (error: SessionError) => {
        stop(id);
        calls.take(id)?.reject(error);
      };
      const body: Buffer[] = [];
      let size = 0;
      let status = 0;
      let headers: HttpHeaders = {};
      const abort = client.send(request, {
        head(code, fields) {
          unanswered = false;
          status = code;
          headers = fields;
        },
        data(chunk) {
          size += chunk.length;
          if (size > limits.maxResult) fail(resultTooLarge(size, limits.maxResult));
          else body.push(chunk);
        },
        end() {
          aborts.delete(id);
          const contentType = headerOf(headers, 'content-type');
          const answer = { status, contentType, body: Buffer.concat(body), url: redact(origin + request.path) };
          try {
            const value = read(answer, headers);
            calls.take(id)?.resolve(value);
          } catch (error) {
            fail(error as SessionError);
          }
        },
        error(error, sent) {
          reachability.suspect(error);
          // A header that no request may carry.
          if (error.code === 'UND_ERR_INVALID_ARG') return fail(badPayload(error.message));
          const fate = sent ? 'sent-unknown' : 'not-sent';
          fail(sessionError('CALL_INTERRUPTED', fate, { message: `${label}: ${error.message}` }));
        },
      });
      if (calls.has(id)) aborts.set(id, abort);
    });

  async function callTool(params: unknown, options: RequestOptions): Promise<unknown> {
    const { name, arguments: given = {} } = isObject(params) ? params : {};
    const operation = operations.find(({ tool }) => tool.name === name);
    if (operation === undefined && !tools.some((tool) => tool.name === name)) {
      throw protocolError(INVALID_PARAMS, `Unknown tool: ${String(name)}`);
    }
    return send(
      operation === undefined ? freeRequest(given, origin) : operationRequest(operation, given),
      options,
      toolResult,
    );
  }

  return {
    generation,
    transport: 'http',
    era: null,
    protocolVersion: null,
    server: {},
    url: client.target.socketPath === null ? origin : `unix:${client.target.socketPath}`,
    tools,
    async request(method, params, options = {}) {
      switch (method) {
        case 'tools/list':
          return { tools };
        case 'tools/call':
          return callTool(params, options);
        case 'ping':
          return {};
        default:
          throw protocolError(METHOD_NOT_FOUND, `This plugin is a plain HTTP service: it has no MCP method ${method}.`);
      }
    },
    notify: () => {},
    async follow() {},
    onMessage: () => () => {},
    async post(payload, options = {}) {
      return send(toRequest(payload, origin, path), options);
    },
    async check(signal): Promise<Health> {
      if (ended !== null) return { status: 'silent', failure: ended };
      if (health === null || (calls.size() > 0 && !unanswered)) return { status: 'well' };
      try {
        await send({ method: 'GET', path: health.path, headers: { accept: '*/*' } }, { signal });
      } catch (error) {
        const { failure, fate } = error as SessionError;
        if (fate !== 'answered') return { status: 'silent', failure };
        if (health.mustBeOk) return { status: 'unready', failure: notReady(failure) };
      }
      return { status: 'well' };
    },
    inFlight: calls.size,
    closed,
    lost: (failure) => end(failure, failure),
    close: (reason) => end(reason, null),
  };
}

/** JSON-RPC's own codes. */
const METHOD_NOT_FOUND = -32601;
const INVALID_PARAMS = -32602;

const protocolError = (code: number, message: string): SessionError =>
  sessionError('CALL_PROTOCOL_ERROR', 'answered', { message: `${message} (${code})`, data: { code, message } });

function operationRequest(operation: Operation, given: unknown): HttpRequest {
  try {
    return requestOf(operation, given);
  } catch (error) {
    if (!(error instanceof BadArgument)) throw error;
    throw sessionError('CALL_BAD_ARGUMENTS', 'not-sent', { message: `${operation.tool.name}: ${error.message}` });
  }
}

/** For a service that describes nothing of itself. */
const REQUEST_TOOL: ToolDescription = {
  name: 'request',
  title: 'HTTP request',
  description:
    'Sends one HTTP request to this service, which does not describe its operations, and returns its answer.',
  inputSchema: {
    type: 'object',
    properties: {
      path: { type: 'string', description: 'Path, such as /items/1.', pattern: '^/' },
      method: {
        type: 'string',
        enum: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'],
        description: 'Default: GET, with a body POST.',
      },
      query: { type: 'object', additionalProperties: { type: ['string', 'number', 'boolean'] } },
      headers: { type: 'object', additionalProperties: { type: 'string' } },
      body: { description: 'Sent as JSON, a string as text.' },
    },
    required: ['path'],
  },
  _meta: { 'mcp-supervisor/plainHttp': true },
};

function freeRequest(given: unknown, origin: string): HttpRequest {
  if (!isRequestForm(given)) throw badPayload('the arguments must be path, method, query, headers and body');
  return toRequest(given, origin, '/');
}

const notReady = ({ message, data }: Failure): Failure =>
  createFailure('RUN_NOT_READY', { message: `Its health endpoint says that it is not ready: ${message}`, data });

const REQUEST_KEYS: ReadonlySet<string> = new Set(['path', 'method', 'query', 'headers', 'body']);
/** Framing and routing stay ours; a header of these could smuggle a second request or leave the origin. */
const OWN_HEADERS: ReadonlySet<string> = new Set(
  'host connection content-length transfer-encoding upgrade expect keep-alive te trailer'.split(' '),
);

interface RequestForm {
  readonly path: string;
  readonly method?: unknown;
  readonly query?: unknown;
  readonly headers?: unknown;
  readonly body?: unknown;
}

/** `{path, method?, query?, headers?, body?}` and nothing else is a request; everything else is a payload to POST. */
const isRequestForm = (payload: unknown): payload is RequestForm =>
  isObject(payload) && typeof payload.path === 'string' && Object.keys(payload).every((key) => REQUEST_KEYS.has(key));

function toRequest(payload: unknown, origin: string, endpoint: string): HttpRequest {
  if (!isRequestForm(payload)) return { method: 'POST', path: endpoint, ...encodeBody(payload ?? {}, {}) };
  const url = URL.canParse(payload.path, origin) ? new URL(payload.path, origin) : null;
  if (url === null || url.origin !== new URL(origin).origin || !payload.path.startsWith('/')) {
    throw badPayload(`path must be a path of the plugin itself, such as /items; got ${payload.path}`);
  }
  const method = payload.method ?? (payload.body === undefined ? 'GET' : 'POST');
  if (typeof method !== 'string' || !/^(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS)$/i.test(method)) {
    throw badPayload(`method must be GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS; got ${String(method)}`);
  }
  for (const [name, value] of Object.entries(strings(payload.query, 'query'))) url.searchParams.append(name, value);
  const headers = Object.fromEntries(
    Object.entries(strings(payload.headers, 'headers')).map(([name, value]) => [name.toLowerCase(), value]),
  );
  const own = Object.keys(headers).find((name) => OWN_HEADERS.has(name));
  if (own !== undefined) throw badPayload(`the header ${own} can not be set`);
  const sent = payload.body === undefined ? { headers } : encodeBody(payload.body, headers);
  return { method: method.toUpperCase(), path: url.pathname + url.search, ...sent };
}

function encodeBody(body: unknown, headers: Record<string, string>): Pick<HttpRequest, 'headers' | 'body'> {
  if (typeof body === 'string') return { headers: { 'content-type': 'text/plain; charset=utf-8', ...headers }, body };
  try {
    return { headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) };
  } catch (error) {
    throw badPayload(`the payload is no JSON: ${(error as Error).message}`);
  }
}

/** An object of strings, numbers and booleans as strings. */
function strings(value: unknown, name: string): Record<string, string> {
  if (value === undefined || value === null) return {};
  const scalar = (one: unknown) => ['string', 'number', 'boolean'].includes(typeof one);
  if (!isObject(value) || !Object.values(value).every(scalar)) {
    throw badPayload(`${name} must be an object of strings, numbers and booleans`);
  }
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, String(one)]));
}

/** JSON as its value, text as a string, nothing as null, anything else as base64. Throws on JSON that is none. */
function decode(body: Buffer, contentType: string): unknown {
  if (body.length === 0) return null;
  if (/^[^;]*[/+]json\b/i.test(contentType)) return JSON.parse(body.toString());
  if (
    contentType === '' ||
    /^(text\/|application\/(xml|javascript|x-www-form-urlencoded)|[^;]*\+xml)/i.test(contentType)
  ) {
    return body.toString();
  }
  return { contentType, base64: body.toString('base64') };
}

const badPayload = (message: string): SessionError =>
  sessionError('CALL_BAD_ARGUMENTS', 'not-sent', {
    message,
    hint: 'Give a JSON object, or {path, method, query, headers, body}.',
  });
