/** A company's way out, on the loopback: forwards plain HTTP, tunnels the rest, and knows the names ending in `.test`. */

import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';

export interface ProxyServer {
  /** With the login when it wants one; without a slash at the end. */
  readonly url: string;
  /** `GET http://host:1/path` and `CONNECT host:1`, in order; with a login only those that had it. */
  readonly log: readonly string[];
  /** Requests that were refused because they had no login, or a wrong one. */
  readonly refused: () => number;
  close(): Promise<void>;
}

export interface ProxyOptions {
  /** Asks for this login. */
  readonly auth?: { readonly username: string; readonly password: string };
  /** Tunnels to ports for TLS only, as most companies' do; names the ports. */
  readonly tunnelsOnlyTo?: readonly number[];
}

/** Nobody else knows these names: whoever reaches one of their hosts has come through a proxy. */
const addressOf = (hostname: string): string => (hostname.endsWith('.test') ? '127.0.0.1' : hostname);

export async function startProxy({ auth, tunnelsOnlyTo }: ProxyOptions = {}): Promise<ProxyServer> {
  const log: string[] = [];
  const sockets = new Set<Socket>();
  let refused = 0;
  const wanted = auth && `Basic ${Buffer.from(`${auth.username}:${auth.password}`).toString('base64')}`;
  const mayPass = ({ headers }: IncomingMessage) => {
    const passes = wanted === undefined || headers['proxy-authorization'] === wanted;
    if (!passes) refused += 1;
    return passes;
  };

  const server = createServer((incoming, response) => {
    if (!mayPass(incoming)) {
      response.writeHead(407, { 'proxy-authenticate': 'Basic realm="proxy"' }).end();
      return;
    }
    log.push(`${incoming.method} ${incoming.url}`);
    forward(incoming, response);
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.on('connect', (incoming: IncomingMessage, client: Socket, head: Buffer) => {
    client.on('error', () => {});
    if (!mayPass(incoming)) {
      client.end('HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm="proxy"\r\n\r\n');
      return;
    }
    const { hostname, port } = new URL(`http://${incoming.url}`);
    const to = Number(port || 80);
    log.push(`CONNECT ${incoming.url}`);
    if (tunnelsOnlyTo !== undefined && !tunnelsOnlyTo.includes(to)) {
      client.end('HTTP/1.1 403 Forbidden\r\n\r\n');
      return;
    }
    const remote = connect(to, addressOf(hostname), () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      remote.write(head);
      remote.pipe(client).pipe(remote);
    });
    remote.on('error', () => client.destroy());
    client.on('close', () => remote.destroy());
  });

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const login = auth === undefined ? '' : `${auth.username}:${encodeURIComponent(auth.password)}@`;
  return {
    url: `http://${login}127.0.0.1:${(server.address() as AddressInfo).port}`,
    log,
    refused: () => refused,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        // Tunnels are the server's no more.
        for (const socket of sockets) socket.destroy();
      }),
  };
}

function forward(incoming: IncomingMessage, response: ServerResponse): void {
  if (!URL.canParse(incoming.url ?? '')) {
    response.writeHead(400).end();
    return;
  }
  const { hostname, port, pathname, search } = new URL(incoming.url ?? '');
  const { 'proxy-authorization': _, 'proxy-connection': __, ...headers } = incoming.headers;
  const outgoing = request(
    { host: addressOf(hostname), port: port || 80, path: pathname + search, method: incoming.method, headers },
    (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    },
  );
  outgoing.on('error', () => (response.headersSent ? response.destroy() : response.writeHead(502).end()));
  incoming.pipe(outgoing);
}
