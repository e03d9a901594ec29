/** MCP clients that show every message as it came, so that a test can compare it to the letter. */

import { createInterface } from 'node:readline';
import { PassThrough } from 'node:stream';
import type { Endpoint } from '../../src/gateway/mcp/contracts.ts';
import { serveStdio } from '../../src/gateway/mcp/transports/stdio.ts';
import { envelope, events, modernHeaders, raw } from './transports/raw-http.ts';

export interface Message {
  readonly id?: string | number;
  readonly method?: string;
  // biome-ignore lint/suspicious/noExplicitAny: whatever came
  readonly params?: any;
  // biome-ignore lint/suspicious/noExplicitAny: whatever came
  readonly result?: any;
  // biome-ignore lint/suspicious/noExplicitAny: whatever came
  readonly error?: any;
}

export interface Params {
  readonly _meta?: Readonly<Record<string, unknown>>;
  readonly [name: string]: unknown;
}

export interface RawClient extends AsyncDisposable {
  /** The answer; `id` is chosen by the client's caller or counted. `heard` gets what came on its stream before. */
  request(method: string, params?: Params, options?: RawRequest): Promise<Message>;
  notify(method: string, params?: Params): Promise<void>;
  /** Messages that came outside of any request (stdio: all that are no answers). */
  readonly heard: readonly Message[];
}

export interface RawRequest {
  readonly id?: string | number;
  readonly heard?: Message[];
  readonly signal?: AbortSignal;
}

const VERSIONS = { legacy: '2025-11-25', modern: '2026-07-28' } as const;
export const capabilities = { elicitation: { form: {}, url: {} }, sampling: {}, roots: {} };
const clientInfo = { name: 'raw', version: '0' };

/** What a modern client adds to the params of every request. */
export const inEnvelope = (params: Params = {}): Params => ({
  ...params,
  _meta: { ...envelope(VERSIONS.modern, capabilities), ...params._meta },
});

const initialize = { protocolVersion: VERSIONS.legacy, capabilities, clientInfo };

/** 2025-11-25 over Streamable HTTP, in a session of its own. */
export async function legacyHttp(url: string, token?: string): Promise<RawClient & { readonly greeting: Message }> {
  let session: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
  let count = 0;
  const stream = new AbortController();
  const heard: Message[] = [];
  const send = (message: object, signal?: AbortSignal) => post(url, message, session, signal);
  const request: RawClient['request'] = async (method, params, { id = `raw-${count++}`, heard, signal } = {}) => {
    const response = await send({ id, method, ...(params && { params }) }, signal);
    return answerTo(id, response, heard);
  };
  const notify = async (method: string, params?: Params) => {
    await (await send({ method, ...(params && { params }) })).text();
  };
  const opened = await send({ id: 'open', method: 'initialize', params: initialize });
  const id = opened.headers.get('mcp-session-id');
  session = { ...session, ...(id && { 'mcp-session-id': id }), 'mcp-protocol-version': VERSIONS.legacy };
  const greeting = await answerTo('open', opened);
  await notify('notifications/initialized');
  const listening = fetch(url, { headers: { ...session, accept: 'text/event-stream' }, signal: stream.signal })
    .then((response) => readMessages(response, (message) => heard.push(message)))
    .catch(() => {});
  return {
    request,
    notify,
    heard,
    greeting,
    async [Symbol.asyncDispose]() {
      stream.abort();
      await listening;
      await fetch(url, { method: 'DELETE', headers: session }).catch(() => {});
    },
  };
}

/** 2026-07-28 over Streamable HTTP. */
export function modernHttp(url: string, token?: string): RawClient {
  let count = 0;
  return {
    heard: [],
    async request(method, params, { id = `raw-${count++}`, heard, signal } = {}) {
      const headers = { ...modernHeaders(method, params), ...(token && { authorization: `Bearer ${token}` }) };
      return answerTo(id, await post(url, { id, method, params: inEnvelope(params) }, headers, signal), heard);
    },
    async notify() {},
    async [Symbol.asyncDispose]() {},
  };
}

/** Either era over a pipe. */
export async function overStdio(
  endpoint: Endpoint,
  era: 'legacy' | 'modern',
): Promise<RawClient & { readonly greeting: Message | null }> {
  const input = new PassThrough();
  const output = new PassThrough();
  const log = { debug() {}, info() {}, warn() {}, error() {} };
  const served = serveStdio({ endpoint, input, output, log });
  const waiting = new Map<string | number, (message: Message) => void>();
  const heard: Message[] = [];
  createInterface({ input: output }).on('line', (line) => {
    const message = JSON.parse(line) as Message;
    if (message.id !== undefined && message.method === undefined) waiting.get(message.id)?.(message);
    else heard.push(message);
  });
  let count = 0;
  const send = (message: object) => input.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  const request: RawClient['request'] = (method, params, { id = `raw-${count++}` } = {}) =>
    new Promise((resolve) => {
      waiting.set(id, resolve);
      const shaped = era === 'modern' ? inEnvelope(params) : params;
      send({ id, method, ...(shaped && { params: shaped }) });
    });
  const notify = async (method: string, params?: Params) => {
    send({ method, ...(params && { params }) });
  };
  const greeting = era === 'legacy' ? await request('initialize', initialize) : null;
  if (era === 'legacy') await notify('notifications/initialized');
  return {
    request,
    notify,
    heard,
    greeting,
    async [Symbol.asyncDispose]() {
      input.end();
      await served;
    },
  };
}

const post = (url: string, message: object, headers: Record<string, string>, signal?: AbortSignal) =>
  raw(url, { headers, body: { jsonrpc: '2.0', ...message }, ...(signal && { signal }) });

/** The answer to that request in a response of either kind; fails when there is none, or one to anybody else. */
async function answerTo(id: string | number, response: Response, heard: Message[] = []): Promise<Message> {
  const messages: Message[] = [];
  await readMessages(response, (message) => (message.method === undefined ? messages : heard).push(message));
  // Refused before anybody looked for a message in it.
  if (!response.ok && messages.length === 1 && messages[0]?.id === undefined) {
    return { error: { status: response.status, ...messages[0] } };
  }
  if (messages.length !== 1 || messages[0]?.id !== id) {
    throw new Error(
      `HTTP ${response.status}, wanted the answer to ${id}, got ${JSON.stringify(messages).slice(0, 2000)}`,
    );
  }
  return messages[0];
}

export async function readMessages(response: Response, each: (message: Message) => void): Promise<void> {
  if (!response.headers.get('content-type')?.includes('text/event-stream')) {
    const text = await response.text();
    if (text !== '') each(JSON.parse(text));
    return;
  }
  for await (const { data } of events(response)) if (data !== '') each(JSON.parse(data));
}
