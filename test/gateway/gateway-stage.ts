/** A gateway on a port of its own, before a supervisor on a home of its own. */

import type { Gateway } from '../../src/gateway/contracts.ts';
import { createGateway } from '../../src/gateway/gateway.ts';
import { type HttpService, type ServeHttpOptions, serveHttp } from '../../src/gateway/http/serve-http.ts';
import type { GatewayOptions } from '../../src/gateway/options.ts';
import type { SupervisorOptions } from '../../src/options.ts';
import { createStage, type Stage } from '../reliability/stage.ts';

export interface GatewayStage extends Stage {
  readonly gateway: Gateway;
  readonly service: HttpService;
  readonly url: string;
  /** Lines of the gateway's own log, all levels. */
  readonly gatewayLog: readonly string[];
  get(path: string, init?: RequestInit): Promise<Response>;
  /** POSTs JSON. */
  post(path: string, body?: unknown, init?: RequestInit): Promise<Response>;
}

export async function createGatewayStage(
  plugins: SupervisorOptions['plugins'] = {},
  options: GatewayOptions = {},
  { serve, ...more }: SupervisorOptions & { readonly serve?: ServeHttpOptions } = {},
): Promise<GatewayStage> {
  const stage = await createStage({ plugins, ...more });
  const gatewayLog: string[] = [];
  const note = (fields: object, message: string) => gatewayLog.push(`${message} ${JSON.stringify(fields)}`);
  const gateway = createGateway(stage.supervisor, {
    logger: { debug: note, info: note, warn: note, error: note },
    ...options,
  });
  const service = await serveHttp(gateway, serve);
  const get = (path: string, init: RequestInit = {}) => fetch(service.url + path, init);
  return {
    ...stage,
    gateway,
    service,
    url: service.url,
    gatewayLog,
    get,
    post: (path, body, init) =>
      get(path, {
        method: 'POST',
        ...init,
        headers: { 'content-type': 'application/json', ...init?.headers },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      }),
    async [Symbol.asyncDispose]() {
      await gateway.close();
      await service.close();
      await stage[Symbol.asyncDispose]();
    },
  };
}

/** Node's fetch sets Host and others itself; this sends what it is told. */
export async function rawRequest(
  url: string,
  {
    method = 'GET',
    headers = {},
    body = '',
  }: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<{ status: number; headers: Record<string, string | string[] | undefined>; text: string }> {
  const { request } = await import('node:http');
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, headers, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
    });
    sent.on('error', reject);
    sent.end(body);
  });
}
