/** The two doors of the daemon: a TCP port, and the socket in its home. */

import { chmod, rm } from 'node:fs/promises';
import type { RequestListener, Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { createGatewayServer, listen } from '../../gateway/http/serve-http.ts';

export interface Door {
  readonly server: Server;
  /** Takes no one in any more, and ends the connections that are open. */
  close(): Promise<void>;
}

/** CONFIG_ADDRESS when it can't listen there. */
export async function listenOn(
  host: string,
  port: number,
  handle: RequestListener,
): Promise<Door & { readonly url: string }> {
  const server = createGatewayServer(handle);
  const address = await listen(server, { host, port });
  const { port: taken } = address as AddressInfo;
  return { ...door(server), url: `http://${hostOf(host)}:${taken}` };
}

const hostOf = (host: string): string => (host.includes(':') ? `[${host}]` : host);

/** Only for who holds the claim: what lies at that path is nobody's any more. */
export async function listenOnSocket(path: string, handle: RequestListener): Promise<Door> {
  await rm(path, { force: true });
  const server = createGatewayServer(handle);
  await listen(server, { path });
  await chmod(path, 0o600);
  const own = door(server);
  return {
    ...own,
    async close() {
      await own.close();
      await rm(path, { force: true });
    },
  };
}

function door(server: Server): Door {
  // Those that became something else (an upgrade) are none of the server's connections any more.
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  return {
    server,
    async close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
