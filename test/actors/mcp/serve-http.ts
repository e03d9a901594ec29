import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ProcessHandle } from '../../../actors/context.ts';

export interface Served extends AsyncDisposable {
  readonly origin: string;
  /** `METHOD /path` of every request. */
  readonly requests: string[];
  /** Stops listening and cuts every connection. */
  stop(): Promise<void>;
}

/** An HTTP server in this process, on loopback or on a Unix socket. */
export async function serveHttp(
  respond: (request: IncomingMessage, response: ServerResponse, body: string) => void,
  socketPath?: string,
): Promise<Served> {
  const requests: string[] = [];
  const server = createServer(async (request, response) => {
    requests.push(`${request.method} ${request.url}`);
    let body = '';
    for await (const chunk of request.setEncoding('utf8')) body += chunk;
    respond(request, response, body);
  });
  await new Promise<void>((resolve) => server.listen(socketPath ?? { port: 0, host: '127.0.0.1' }, resolve));
  const stop = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  const origin =
    socketPath === undefined ? `http://127.0.0.1:${(server.address() as AddressInfo).port}` : 'http://localhost';
  return { origin, requests, stop, [Symbol.asyncDispose]: stop };
}

/** The handle of a process that lives for ever: these servers are in ours. */
export const livingProcess = {
  generation: 1,
  redact: (text: string) => text,
  exited: new Promise<never>(() => {}),
} as unknown as ProcessHandle;

export const limits = { maxMessage: 10_484_736, maxResult: 1_000_000, maxFiles: 200_000, maxSource: 1_073_741_824 };
