/** Endpoints over real plugins, and clients that speak to them without a wire. */

import { createCatalogs } from '../../../src/gateway/catalogs.ts';
import type { Catalogs, Endpoints } from '../../../src/gateway/contracts.ts';
import type { Client, ClientRequest, Endpoint, Era } from '../../../src/gateway/mcp/contracts.ts';
import { createEndpoints, type EndpointsOptions } from '../../../src/gateway/mcp/endpoints.ts';
import { createRelay } from '../../../src/gateway/mcp/eras/relay.ts';
import type { RpcError } from '../../../src/gateway/mcp/rpc-error.ts';
import type { PluginOptions, Supervisor, SupervisorOptions } from '../../../src/options.ts';
import { createStage, program, type Stage } from '../../reliability/stage.ts';

export interface Desk extends AsyncDisposable, Stage {
  readonly catalogs: Catalogs;
  readonly endpoints: Endpoints;
}

const silent = { debug() {}, info() {}, warn() {}, error() {} };

/** One of everything. */
export const library = (name = 'library', more: Partial<PluginOptions> = {}): PluginOptions =>
  program(['node', 'mcp/library.mjs', name], more);

export async function createDesk(
  plugins: NonNullable<SupervisorOptions['plugins']>,
  options: Partial<EndpointsOptions> & { readonly stage?: SupervisorOptions } = {},
): Promise<Desk> {
  const stage = await createStage({ plugins, ...options.stage });
  return { ...stage, ...open(stage.supervisor, options) };

  function open(supervisor: Supervisor, { stage: _, ...more }: typeof options) {
    const catalogs = createCatalogs({ supervisor, log: silent });
    const relay = createRelay({ supervisor, log: silent });
    const endpoints = createEndpoints({ supervisor, catalogs, relay, log: silent, ...more });
    return {
      catalogs,
      endpoints,
      async [Symbol.asyncDispose]() {
        endpoints.close();
        relay.close();
        catalogs.close();
        await stage[Symbol.asyncDispose]();
      },
    };
  }
}

export interface Heard {
  readonly method: string;
  readonly params: unknown;
}

export interface TestClient extends Client {
  /** What it was told that belongs to no request. */
  readonly heard: Heard[];
  /** Resolves with the result; the answers are looked at loosely. */
  // biome-ignore lint/suspicious/noExplicitAny: what plugins answer is anything
  ask(method: string, params?: unknown, more?: Partial<ClientRequest>): Promise<any>;
  /** Rejects unless it is refused. */
  refusal(method: string, params?: unknown): Promise<RpcError>;
  call(tool: string, args?: object): Promise<string>;
  leave(): void;
}

let clients = 0;

export function connect(endpoint: Endpoint, era: Era = 'legacy'): TestClient {
  const heard: Heard[] = [];
  let ids = 0;
  clients += 1;
  const client: TestClient = {
    id: `client-${clients}`,
    era,
    protocolVersion: era === 'legacy' ? '2025-11-25' : '2026-07-28',
    info: { name: 'test' },
    capabilities: {},
    principal: 'local',
    heard,
    notify: (method, params) => void heard.push({ method, params }),
    ask(method, params, more = {}) {
      ids += 1;
      const signal = new AbortController().signal;
      const request = {
        client,
        method,
        params,
        id: ids,
        signal,
        notify() {},
        ask: () => Promise.reject(new Error('no')),
      };
      return endpoint.handle({ ...request, ...more });
    },
    refusal: (method, params) =>
      client.ask(method, params).then(
        (result) => Promise.reject(new Error(`it gave ${JSON.stringify(result)}`)),
        (error) => error,
      ),
    call: async (tool, args = {}) => {
      const result = await client.ask('tools/call', { name: tool, arguments: args });
      return result.content[0].text;
    },
    leave: () => endpoint.leave(client),
  };
  return client;
}
