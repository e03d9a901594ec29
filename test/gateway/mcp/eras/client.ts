/** A client of either era, without a wire: what it is told and asked is written down. */

import type { Client, ClientRequest, Era } from '../../../../src/gateway/mcp/contracts.ts';
import type { Relay } from '../../../../src/gateway/mcp/eras/relay.ts';
import type { RpcError } from '../../../../src/gateway/mcp/rpc-error.ts';

export interface TestClient {
  readonly client: Client;
  /** `[method, params]` of what it was told while its requests ran. */
  readonly told: unknown[];
  /** `[method, params]` of what it was asked. */
  readonly asked: unknown[];
  request(plugin: string, method: string, params?: object, signal?: AbortSignal): Promise<Record<string, unknown>>;
  call(plugin: string, name: string, args?: object, more?: object): Promise<Record<string, unknown>>;
  refusal(plugin: string, method: string, params?: object): Promise<RpcError>;
}

export interface TestClientOptions {
  readonly principal?: string;
  readonly capabilities?: Readonly<Record<string, unknown>>;
  /** What it answers. */
  readonly answers?: (method: string, params: unknown) => unknown;
}

let last = 0;

export function createClient(relay: Relay, era: Era, options: TestClientOptions = {}): TestClient {
  const { principal = 'local', capabilities = {}, answers = () => ({}) } = options;
  const told: unknown[] = [];
  const asked: unknown[] = [];
  const client: Client = {
    id: `client ${++last}`,
    era,
    protocolVersion: era === 'modern' ? '2026-07-28' : '2025-11-25',
    info: { name: 'test', version: '1' },
    capabilities,
    principal,
    notify: (method, params) => told.push([method, params]),
  };
  const envelope = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientCapabilities': capabilities,
  };
  const request: TestClient['request'] = (plugin, method, given = {}, signal = new AbortController().signal) => {
    const { _meta, ...own } = given as { _meta?: object };
    const params = era === 'modern' ? { ...own, _meta: { ...envelope, ..._meta } } : given;
    const one: ClientRequest = {
      client,
      method,
      params,
      id: ++last,
      signal,
      notify: (what, about) => told.push([what, about]),
      async ask(what, about) {
        asked.push([what, about]);
        return answers(what, about);
      },
    };
    return relay.request(plugin, one, method, params) as Promise<Record<string, unknown>>;
  };
  return {
    client,
    told,
    asked,
    request,
    call: (plugin, name, args = {}, more = {}) => request(plugin, 'tools/call', { name, arguments: args, ...more }),
    refusal: (plugin, method, params) =>
      request(plugin, method, params).then(
        (result) => Promise.reject(new Error(`it gave ${JSON.stringify(result)}`)),
        (error) => error as RpcError,
      ),
  };
}
