/** MCP servers in this process, of every kind that a `url` may lead to. */

import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { NodeStreamableHTTPServerTransport, toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server';
import { z } from 'zod';

export interface RemoteServer extends AsyncDisposable {
  /** Of the origin, without a slash at the end. */
  readonly origin: string;
  readonly port: number;
  /** Every request with its headers. */
  readonly requests: IncomingMessage[];
  /** Stops listening and cuts every connection. */
  stop(): Promise<void>;
}

export interface ServeOptions {
  readonly port?: number;
  readonly host?: string;
  readonly tls?: { readonly cert: string; readonly key: string };
}

export async function serve(
  respond: RequestListener,
  { port = 0, host = '127.0.0.1', tls }: ServeOptions = {},
): Promise<RemoteServer> {
  const requests: IncomingMessage[] = [];
  const listener: RequestListener = (request, response) => {
    requests.push(request);
    respond(request, response);
  };
  const server: Server = tls === undefined ? createServer(listener) : createTlsServer(tls, listener);
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, host, resolve));
  const bound = (server.address() as AddressInfo).port;
  const stop = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      for (const socket of sockets) socket.destroy();
    });
  const name = host.includes(':') ? `[${host}]` : host;
  return {
    origin: `${tls === undefined ? 'http' : 'https'}://${name}:${bound}`,
    port: bound,
    requests,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** What every one of them offers. */
export function buildServer(name = 'remote'): McpServer {
  const server = new McpServer({ name, version: '1.0.0' });
  const echo = { description: 'Returns the message', inputSchema: z.object({ message: z.string() }) };
  server.registerTool('echo', echo, async ({ message }) => ({ content: [{ type: 'text', text: message }] }));
  return server;
}

/** Both eras, without sessions. */
export const bothEras = () => toNodeHandler(createMcpHandler(() => buildServer())) as unknown as RequestListener;
/** MCP 2026-07-28 alone. */
export const modernOnly = () =>
  toNodeHandler(createMcpHandler(() => buildServer(), { legacy: 'reject' })) as unknown as RequestListener;

/** MCP 2025-11-25 with sessions; `sessions` are those that are open. */
export function legacySessions(): { readonly listener: RequestListener; readonly sessions: ReadonlySet<string> } {
  const transports = new Map<string, NodeStreamableHTTPServerTransport>();
  const sessions = new Set<string>();
  const listener: RequestListener = async (request, response) => {
    const known = transports.get(String(request.headers['mcp-session-id'] ?? ''));
    if (known !== undefined) return known.handleRequest(request, response);
    if (request.headers['mcp-session-id'] !== undefined) return void response.writeHead(404).end();
    const transport = new NodeStreamableHTTPServerTransport({
      sessionIdGenerator: () => crypto.randomUUID(),
      onsessioninitialized: (id) => {
        transports.set(id, transport);
        sessions.add(id);
      },
      onsessionclosed: (id) => void sessions.delete(id),
    });
    await buildServer().connect(transport);
    await transport.handleRequest(request, response);
  };
  return { listener, sessions };
}

/** HTTP+SSE of 2024-11-05 at `/sse`; knows nothing of POSTs there. */
export function sseOnly(): RequestListener {
  let next = 0;
  const streams = new Map<string, (data: unknown) => void>();
  return async (request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost');
    const session = url.searchParams.get('session') ?? '';
    if (request.method === 'GET' && url.pathname === '/sse') {
      next += 1;
      const id = String(next);
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(`event: endpoint\ndata: /messages?session=${id}\n\n`);
      streams.set(id, (data) => response.write(`event: message\ndata: ${JSON.stringify(data)}\n\n`));
      return;
    }
    const tell = streams.get(session);
    if (request.method !== 'POST' || tell === undefined) return void response.writeHead(405).end();
    let body = '';
    for await (const chunk of request.setEncoding('utf8')) body += chunk;
    response.writeHead(202).end();
    const { id, method, params } = JSON.parse(body);
    if (id === undefined) return;
    const results: Record<string, unknown> = {
      initialize: {
        protocolVersion: '2024-11-05',
        capabilities: { tools: {} },
        serverInfo: { name: 'sse', version: '1' },
      },
      'tools/list': { tools: [{ name: 'echo', inputSchema: { type: 'object' } }] },
      'tools/call': { content: [{ type: 'text', text: String(params?.arguments?.message) }] },
      ping: {},
    };
    tell({ jsonrpc: '2.0', id, result: results[method] });
  };
}
