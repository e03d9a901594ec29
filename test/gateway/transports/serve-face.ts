import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { HttpExchange, McpHttpFace } from '../../../src/gateway/contracts.ts';
import type { Endpoint } from '../../../src/gateway/mcp/contracts.ts';
import { everything } from '../../../src/gateway/view.ts';

export interface ServedFace extends AsyncDisposable {
  readonly url: string;
  readonly server: Server;
  /** What `handle` rejected with. */
  readonly errors: unknown[];
}

/** A face behind plain `node:http`; the header `x-principal` says who calls. */
export async function serveFace(
  face: McpHttpFace,
  endpoint: Endpoint | ((path: string) => Endpoint),
): Promise<ServedFace> {
  const errors: unknown[] = [];
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://gateway');
    const exchange: HttpExchange = {
      request,
      response,
      method: request.method ?? 'GET',
      path: url.pathname.split('/').slice(1),
      query: url.searchParams,
      principal: { id: String(request.headers['x-principal'] ?? 'local'), view: everything },
      body: async () => {
        const chunks: Buffer[] = [];
        for await (const chunk of request) chunks.push(chunk as Buffer);
        return Buffer.concat(chunks);
      },
    };
    face
      .handle(exchange, typeof endpoint === 'function' ? endpoint(url.pathname) : endpoint)
      .catch((error: unknown) => {
        errors.push(error);
        response.destroy();
      });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    server,
    errors,
    async [Symbol.asyncDispose]() {
      face.close();
      await new Promise((resolve) => {
        server.close(resolve);
        setImmediate(() => server.closeAllConnections());
      });
    },
  };
}
