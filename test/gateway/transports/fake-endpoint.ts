/** An endpoint with a few tools that show what a transport does; what it heard is on record. */

import type { Client, ClientRequest, Endpoint } from '../../../src/gateway/mcp/contracts.ts';
import { RPC, RpcError } from '../../../src/gateway/mcp/rpc-error.ts';

export interface FakeEndpoint extends Endpoint {
  readonly heard: { readonly client: Client; readonly method: string; readonly params: unknown }[];
  readonly left: Client[];
  readonly clients: Client[];
  /** Requests whose signal was aborted, by the name of their tool or method. */
  readonly aborted: string[];
  /** Calls of `wait` and of `subscriptions/listen` that are open now. */
  readonly waiting: ClientRequest[];
  /** Lets the oldest `wait` go. */
  release(): void;
}

interface Params {
  readonly name?: string;
  readonly arguments?: Readonly<Record<string, unknown>>;
  readonly _meta?: Readonly<Record<string, unknown>>;
  readonly notifications?: unknown;
}

export const text = (value: string) => ({ content: [{ type: 'text', text: value }] });

const SCHEMA = { type: 'object', properties: { name: { type: 'string' } } };

const TOOL = {
  name: 'mirrored',
  inputSchema: {
    type: 'object',
    properties: {
      region: { type: 'string', 'x-mcp-header': 'Region' },
      deep: { type: 'object', properties: { count: { type: 'integer', 'x-mcp-header': 'Count' } } },
    },
  },
};
const TOOLS = ['echo', 'progress', 'ask', 'wait', 'big', 'refuse', 'break', 'tell'].map((name) => ({
  name,
  inputSchema: { type: 'object' },
}));

export function createFakeEndpoint(): FakeEndpoint {
  const gates: (() => void)[] = [];
  const fake: FakeEndpoint = {
    heard: [],
    left: [],
    clients: [],
    aborted: [],
    waiting: [],
    release: () => gates.shift()?.(),
    tool: (name) => (name === TOOL.name ? TOOL : undefined),
    hear: (client, method, params) => void fake.heard.push({ client, method, params }),
    leave: (client) => void fake.left.push(client),
    async handle(request) {
      if (!fake.clients.includes(request.client)) fake.clients.push(request.client);
      const { method, client } = request;
      const params = (request.params ?? {}) as Params;
      const modern = client.era === 'modern';
      const complete = modern ? { resultType: 'complete' } : {};
      switch (method) {
        case 'initialize':
          return {
            protocolVersion: client.protocolVersion,
            capabilities: { tools: { listChanged: true }, logging: {} },
            serverInfo: { name: 'fake', version: '1' },
          };
        case 'server/discover':
          return {
            ...complete,
            supportedVersions: ['2026-07-28'],
            capabilities: { tools: { listChanged: true } },
            ttlMs: 0,
            cacheScope: 'private',
            _meta: { 'io.modelcontextprotocol/serverInfo': { name: 'fake', version: '1' } },
          };
        case 'ping':
          return {};
        case 'tools/list':
          return { ...complete, ...(modern && { ttlMs: 0, cacheScope: 'private' }), tools: [TOOL, ...TOOLS] };
        case 'tools/call':
          return { ...complete, ...(await call(request, params)) };
        case 'subscriptions/listen': {
          const _meta = { 'io.modelcontextprotocol/subscriptionId': request.id };
          request.notify('notifications/subscriptions/acknowledged', { _meta, notifications: params.notifications });
          return untilAborted(request, method);
        }
        default:
          throw new RpcError(RPC.methodNotFound, `Method not found: ${method}`);
      }
    },
  };

  function untilAborted(request: ClientRequest, name: string): Promise<never> {
    fake.waiting.push(request);
    return new Promise((_, reject) => {
      request.signal.addEventListener('abort', () => {
        fake.aborted.push(name);
        fake.waiting.splice(fake.waiting.indexOf(request), 1);
        reject(request.signal.reason);
      });
    });
  }

  async function call(request: ClientRequest, { name, arguments: given = {}, _meta }: Params): Promise<object> {
    switch (name) {
      case 'echo':
      case 'mirrored':
        return { ...text(JSON.stringify(given)), who: request.client.id };
      case 'progress':
        for (let progress = 1; progress <= Number(given.steps ?? 3); progress += 1) {
          request.notify('notifications/progress', { progressToken: _meta?.progressToken, progress, pad: given.pad });
          await new Promise(setImmediate);
        }
        return text('done');
      case 'ask':
        return text(
          JSON.stringify(await request.ask('elicitation/create', { message: 'name?', requestedSchema: SCHEMA })),
        );
      case 'wait': {
        if (given.first === true) request.notify('notifications/progress', { progressToken: 'p', progress: 1 });
        const gate = new Promise<object>((resolve) => gates.push(() => resolve(text('released'))));
        return Promise.race([gate, untilAborted(request, name)]);
      }
      case 'big':
        return text('x'.repeat(Number(given.size)));
      case 'refuse':
        throw new RpcError(-32042, 'Refused', { why: 'so' });
      case 'break':
        throw new Error('a secret of ours');
      case 'tell':
        for (const one of given.methods as string[]) request.client.notify(one, { told: true });
        return text('told');
      default:
        throw new RpcError(RPC.invalidParams, `Unknown tool: ${name}`);
    }
  }
  return fake;
}

export const quiet = { debug() {}, info() {}, warn() {}, error() {} };

/** Waits until it is so; the test's own time limit is the only one. */
export async function until(what: () => boolean): Promise<void> {
  while (!what()) await new Promise((resolve) => setTimeout(resolve, 5));
}

export async function eventually(what: () => Promise<boolean>): Promise<void> {
  while (!(await what())) await new Promise((resolve) => setTimeout(resolve, 5));
}
