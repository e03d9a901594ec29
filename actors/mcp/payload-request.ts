/** The HTTP request that a payload for a plain HTTP service stands for. */

import { isFields } from '../fields.ts';
import type { HttpRequest } from './http-client.ts';
import { type SessionError, sessionError } from './session-error.ts';

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
export const isRequestForm = (payload: unknown): payload is RequestForm =>
  isFields(payload) && typeof payload.path === 'string' && Object.keys(payload).every((key) => REQUEST_KEYS.has(key));

export function toRequest(payload: unknown, origin: string, endpoint: string): HttpRequest {
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
  if (!isFields(value) || !Object.values(value).every(scalar)) {
    throw badPayload(`${name} must be an object of strings, numbers and booleans`);
  }
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, String(one)]));
}

export const badPayload = (message: string): SessionError =>
  sessionError('CALL_BAD_ARGUMENTS', 'not-sent', {
    message,
    hint: 'Give a JSON object, or {path, method, query, headers, body}.',
  });
