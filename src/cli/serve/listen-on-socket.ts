import { chmod, rm } from 'node:fs/promises';
import type { RequestListener, Server } from 'node:http';
import type { Socket } from 'node:net';
import { createGatewayServer, listen } from '../../gateway/http/serve-http.ts';

export interface Door {
  readonly server: Server;
  /** Takes no one in any more, and ends the connections that are open. */
  close(): Promise<void>;
}

/** Mode 0600. Only for who holds the claim: what lies at that path is nobody's any more. */
export async function listenOnSocket(path: string, handle: RequestListener): Promise<Door> {
  await rm(path, { force: true });
  const server = createGatewayServer(handle);
  // Those that became something else (an upgrade) are none of the server's connections any more.
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await listen(server, { path });
  await chmod(path, 0o600);
  return {
    server,
    async close() {
      server.close();
      for (const socket of sockets) socket.destroy();
      await rm(path, { force: true });
    },
  };
}
