/** Requests as they are on the wire, for what no real client does. */

export interface RawOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly signal?: AbortSignal;
}

export const BOTH = 'application/json, text/event-stream';

export function raw(url: string, { method = 'POST', headers, body, signal }: RawOptions = {}): Promise<Response> {
  return fetch(url, {
    method,
    headers: { accept: BOTH, ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    ...(signal && { signal }),
  });
}

export const rpc = (method: string, params?: object, id: string | number | null = 1) => ({
  jsonrpc: '2.0',
  ...(id !== null && { id }),
  method,
  ...(params && { params }),
});

export const initialize = (protocolVersion = '2025-11-25') =>
  rpc('initialize', { protocolVersion, capabilities: { elicitation: {} }, clientInfo: { name: 'raw', version: '0' } });

/** Headers of a session that was just opened. */
export async function openSession(url: string, version = '2025-11-25', headers: Record<string, string> = {}) {
  const response = await raw(url, { body: initialize(version), headers });
  await response.text();
  return { ...headers, 'mcp-session-id': response.headers.get('mcp-session-id')!, 'mcp-protocol-version': version };
}

const PREFIX = 'io.modelcontextprotocol/';
export const envelope = (version = '2026-07-28', capabilities: object = {}) => ({
  [`${PREFIX}protocolVersion`]: version,
  [`${PREFIX}clientInfo`]: { name: 'raw', version: '0' },
  [`${PREFIX}clientCapabilities`]: capabilities,
});

/** Body and headers of a modern request, as they must be. */
export const modern = (method: string, params: Readonly<Record<string, unknown>> = {}, id: string | number = 1) => ({
  body: rpc(method, { ...params, _meta: envelope() }, id),
  headers: modernHeaders(method, params),
});

/** What a modern request's headers say of its body. */
export function modernHeaders(method: string, params: Readonly<Record<string, unknown>> = {}): Record<string, string> {
  const name = params.name ?? params.uri ?? params.taskId;
  return {
    'mcp-protocol-version': '2026-07-28',
    'mcp-method': method,
    ...(typeof name === 'string' && { 'mcp-name': name }),
  };
}

export interface SseEvent {
  readonly id?: string;
  readonly retry?: string;
  readonly event?: string;
  readonly data: string;
}

/** Events one by one; comments are passed over. */
export async function* events(response: Response): AsyncGenerator<SseEvent> {
  let rest = '';
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    const blocks = (rest + chunk).split(/\r?\n\r?\n/);
    rest = blocks.pop()!;
    for (const block of blocks) {
      const fields = block
        .split(/\r?\n/)
        .filter((line) => !line.startsWith(':'))
        .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trimStart()] as const);
      const data = fields.flatMap(([name, value]) => (name === 'data' ? [value] : [])).join('\n');
      if (fields.length > 0) yield { ...Object.fromEntries(fields), data };
    }
  }
}

/** The next event that is a message, parsed. */
export async function nextMessage(from: AsyncGenerator<SseEvent>) {
  for (;;) {
    const { value, done } = await from.next();
    if (done) return null;
    if (value.data !== '') return { ...JSON.parse(value.data), eventId: value.id };
  }
}
