/** A gateway on a port of its own, or on a Unix socket. */

import { chmod, lstat, rm } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, connect, type ListenOptions } from 'node:net';
import { isMainThread } from 'node:worker_threads';
import { portHolder } from '../../../actors/ports.ts';
import { supervisorError } from '../../errors.ts';
import type { Gateway } from '../contracts.ts';
import { isLoopback } from './caller.ts';

export interface ServeHttpOptions {
  /** Address or name to listen on; default 127.0.0.1. */
  readonly host?: string;
  /** Default 0: any that is free. */
  readonly port?: number;
  /** Path of a Unix socket instead; made with mode 0600: who can open it is its owner. */
  readonly socket?: string;
}

export interface HttpService {
  /** `http://127.0.0.1:8808`; `unix:/path` for a socket. */
  readonly url: string;
  readonly server: Server;
  /** Takes nobody in any more and ends what is open; the gateway is its owner's. Idempotent. */
  close(): Promise<void>;
}

/**
 * Rejects with CONFIG_ADDRESS when it can't listen there (naming who holds the port, where that can be known), with
 * CONFIG_REFERENCE and CONFIG_INVALID for bad tokens, and with CONFIG_INVALID off loopback without any.
 */
export async function serveHttp(
  gateway: Pick<Gateway, 'handle' | 'ready' | 'hasTokens'>,
  { host = '127.0.0.1', port = 0, socket }: ServeHttpOptions = {},
): Promise<HttpService> {
  await gateway.ready();
  const server = createGatewayServer(gateway.handle);
  if (socket !== undefined) {
    await removeDeadSocket(socket);
    await listen(server, { path: socket });
    await chmod(socket, 0o600);
    return service(server, `unix:${socket}`);
  }
  const { address, port: taken } = (await listen(server, { host, port })) as AddressInfo;
  if (!isLoopback(address) && !gateway.hasTokens()) {
    await closeServer(server);
    throw supervisorError('CONFIG_INVALID', {
      message: `Others can reach ${host}, and no token is configured.`,
      hint: 'Configure tokens, or listen on 127.0.0.1.',
    });
  }
  return service(server, `http://${address.includes(':') ? `[${address}]` : address}:${taken}`);
}

/** A server with bounds on how slowly and how much may be sent: headers 16 KiB in 20 s, a whole request in 5 min. */
export function createGatewayServer(handle: RequestListener): Server {
  return createServer(
    {
      maxHeaderSize: 16 * 1024,
      headersTimeout: 20_000,
      // From its first byte to its last; answers may take as long as they do.
      requestTimeout: 300_000,
      connectionsCheckingInterval: 5000,
      // Clients' own pools give up after 60 s or less: whoever sends on a kept connection must not meet its end.
      keepAliveTimeout: 65_000,
    },
    handle,
  );
}

/** Rejects with CONFIG_ADDRESS. */
export function listen(server: Server, where: ListenOptions): Promise<ReturnType<Server['address']>> {
  return new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException) => void addressError(error, where).then(reject, reject);
    const done = () => {
      server.off('error', failed);
      // A connection that could not be taken in is no reason to end the process.
      server.on('error', () => {});
      resolve(server.address());
    };
    server.once('error', failed);
    if (where.path === undefined) server.listen(where, done);
    else privately(() => server.listen(where, done));
  });
}

/** Makes a socket that is its owner's from its first moment on: whoever watches the folder is quicker than a `chmod`. */
function privately(make: () => void): void {
  // Threads can't set the mask of their process.
  const mask = isMainThread ? process.umask(0o177) : null;
  try {
    make();
  } finally {
    if (mask !== null) process.umask(mask);
  }
}

const WHY: Readonly<Record<string, string>> = {
  EADDRNOTAVAIL: 'this machine has no such address',
  ENOTFOUND: 'there is no such host',
  EACCES: 'that needs more rights',
};

async function addressError({ code = '' }: NodeJS.ErrnoException, { host, port, path }: ListenOptions) {
  const holder = code === 'EADDRINUSE' && port !== undefined ? await portHolder(port).catch(() => null) : null;
  const taken = holder === null ? 'another program has it' : `${holder.name} (pid ${holder.pid}) has it`;
  const why = code === 'EADDRINUSE' ? taken : (WHY[code] ?? `it can't be used (${code})`);
  return supervisorError('CONFIG_ADDRESS', {
    message: `The gateway can not listen on ${path ?? `${host}:${port}`}: ${why}.`,
    data: path === undefined ? { host, port, holder } : { socket: path },
  });
}

/** What a server left that was killed: a socket at which nobody answers. Anything else stays, and is in the way. */
async function removeDeadSocket(path: string): Promise<void> {
  const found = await lstat(path).catch(() => null);
  if (found?.isSocket() !== true) return;
  const answers = await new Promise<boolean>((resolve) => {
    const socket = connect(path, () => resolve(true));
    socket.on('error', () => resolve(false));
    socket.on('close', () => resolve(false));
    socket.on('connect', () => socket.destroy());
  });
  if (!answers) await rm(path, { force: true });
}

function service(server: Server, url: string): HttpService {
  let closed: Promise<void> | null = null;
  return {
    url,
    server,
    close() {
      closed ??= closeServer(server);
      return closed;
    },
  };
}

const closeServer = (server: Server) =>
  new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
