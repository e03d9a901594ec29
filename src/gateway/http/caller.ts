/** Who is at the other end of a request: decided by the socket that listens, not by what the request says of itself. */

import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Server, Socket } from 'node:net';

/**
 * `socket`: a Unix socket, which only its owner can open. `loopback`: nobody outside this machine can reach the socket
 * that listens. `open`: others may, or nobody knows.
 */
export type Reach = 'socket' | 'loopback' | 'open';

export interface Caller {
  readonly reach: Reach;
  /** Name and port under which it addressed us, lower case; '' when it gave none. */
  readonly host: string;
  readonly secure: boolean;
  /** Address that it called on: itself a name under which we may be addressed. */
  readonly localAddress: string;
}

export type IdentifyCaller = (request: IncomingMessage) => Caller;

/** What X-Forwarded-* say in a caller's favour counts only from `trustedProxy`. */
export function createIdentifyCaller(trustedProxy: string | undefined): IdentifyCaller {
  /** What holds for every request of a connection, looked at once. */
  const connections = new WeakMap<Socket, Connection>();
  const proxy = trustedProxy === undefined ? null : plainAddress(trustedProxy);

  return ({ socket, headers }) => {
    let connection = connections.get(socket);
    if (connection === undefined) {
      connection = look(socket, proxy);
      connections.set(socket, connection);
    }
    const { reach, secure, localAddress } = connection;
    const host = (headers.host ?? '').toLowerCase();
    if (!connection.isProxy) {
      return { reach: reach === 'loopback' && isForwarded(headers) ? 'open' : reach, host, secure, localAddress };
    }
    // The proxy appends what it saw itself: only the last word of a list is its own.
    const client = lastOf(headers['x-forwarded-for']);
    return {
      reach: isLoopback(plainAddress(client)) ? reach : 'open',
      host: lastOf(headers['x-forwarded-host']).toLowerCase() || host,
      secure: (lastOf(headers['x-forwarded-proto']).toLowerCase() || (secure ? 'https' : 'http')) === 'https',
      localAddress,
    };
  };
}

interface Connection {
  readonly reach: Reach;
  readonly secure: boolean;
  readonly localAddress: string;
  readonly isProxy: boolean;
}

function look(socket: Socket, proxy: string | null): Connection {
  const reach = reachOf(socket);
  return {
    reach,
    secure: 'encrypted' in socket,
    localAddress: plainAddress(socket.localAddress ?? ''),
    isProxy: proxy !== null && reach !== 'socket' && plainAddress(socket.remoteAddress ?? '') === proxy,
  };
}

/** What listens decides: a socket that has no addresses may as well be a caller who has hung up. */
function reachOf(socket: Socket): Reach {
  const { server } = socket as Socket & { readonly server?: Pick<Server, 'address'> };
  const address = server?.address?.() ?? null;
  if (typeof address === 'string') return 'socket';
  return address !== null && isLoopback(address.address) ? 'loopback' : 'open';
}

/** An IPv4 address that came over an IPv6 socket is still that address. */
const plainAddress = (address: string) => address.replace(/^::ffff:(?=\d+\.)/i, '').toLowerCase();

export const isLoopback = (address: string): boolean => /^127(\.\d{1,3}){3}$/.test(address) || address === '::1';

/**
 * Whether a proxy that nobody told us of says that somebody off this machine asks: without it the whole network would be as good
 * as its owner. Believed because it can only take something away.
 */
function isForwarded({ 'x-forwarded-for': by, forwarded }: IncomingHttpHeaders): boolean {
  if (by === undefined && forwarded === undefined) return false;
  const named = [...(forwarded ?? '').matchAll(/for="?\[?([^;,"\]\s]*)/gi)].map(([, address = '']) => address);
  const seen = [by ?? []].flat().flatMap((list) => list.split(','));
  return [...seen, ...named].some(
    (address) => !isLoopback(plainAddress(address.trim().replace(/^(127[\d.]+):\d+$/, '$1'))),
  );
}

function lastOf(header: string | readonly string[] | undefined): string {
  const text = typeof header === 'string' ? header : (header?.join(',') ?? '');
  return text.slice(text.lastIndexOf(',') + 1).trim();
}
