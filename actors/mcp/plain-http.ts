/** A plain HTTP service as a session: a payload is POSTed, or one request of the caller's own making goes out. */

import type { Health } from '../../machines/contracts.ts';
import { createFailure, type Failure } from '../../machines/failure.ts';
import type { Limits, RequestOptions, Session, ToolDescription } from '../context.ts';
import { isFields } from '../fields.ts';
import { type HttpClient, type HttpHeaders, type HttpRequest, headerOf } from './http-client.ts';
import { createHttpErrors } from './http-error.ts';
import { BadArgument, requestOf } from './openapi/request.ts';
import { type Answer, toolResult } from './openapi/result.ts';
import type { Operation } from './openapi/tools.ts';
import { badPayload, isRequestForm, toRequest } from './payload-request.ts';
import { createPendingCalls } from './pending-calls.ts';
import { protocolError } from './protocol-error.ts';
import { watchReachability } from './reachability.ts';
import { RPC } from './rpc-codes.ts';
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
    const { name, arguments: given = {} } = isFields(params) ? params : {};
    const operation = operations.find(({ tool }) => tool.name === name);
    if (operation === undefined && !tools.some((tool) => tool.name === name)) {
      throw protocolError({ code: RPC.invalidParams, message: `Unknown tool: ${String(name)}` }, redact);
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
          throw protocolError(
            {
              code: RPC.methodNotFound,
              message: `This plugin is a plain HTTP service: it has no MCP method ${method}.`,
            },
            redact,
          );
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
