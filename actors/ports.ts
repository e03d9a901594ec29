/** Loopback ports: leasing free ones, and finding who listens where. */

import type { ListenSocket } from './context.ts';
import { platform } from './platform.ts';
import type { PortHolder } from './ports/socket-table.ts';

export interface PortLeases {
  /** A port that is free on loopback now, and that nobody else got from here within the last minute. */
  lease(): Promise<number>;
  /** Starts the minute. */
  release(port: number): void;
}

/** Freshly closed ports are handed out again by the system within seconds (266 of 2000 picks): 60 s keeps them apart. */
const REST = 60_000;

export interface PortLeasesOptions {
  /** Milliseconds of a clock that never goes back; default `performance.now`. */
  readonly now?: () => number;
  /** A port that is free now; default by `get-port`. */
  readonly pick?: () => Promise<number>;
}

/** One per supervisor. Between lease and bind anyone may take the port: LAUNCH_PORT_TAKEN starts again with another. */
export function createPortLeases({
  now = () => performance.now(),
  pick = freePort,
}: PortLeasesOptions = {}): PortLeases {
  /** Port → when it may be leased again. */
  const resting = new Map<number, number>();
  return {
    lease: async () => {
      for (const [port, until] of resting) if (until <= now()) resting.delete(port);
      let port = await pick();
      while (resting.has(port)) port = await pick();
      resting.set(port, Number.POSITIVE_INFINITY);
      return port;
    },
    release: (port) => {
      resting.set(port, now() + REST);
    },
  };
}

async function freePort(): Promise<number> {
  const { default: getPort } = await import('get-port');
  return getPort({ host: '127.0.0.1' });
}

/**
 * TCP and Unix sockets on which one of these processes listens, TCP first; abstract Unix sockets are left out. Null when
 * the system can't tell.
 */
export const listeningSockets = (pids: readonly number[]): Promise<readonly ListenSocket[] | null> =>
  platform.sockets.listening(pids);

/** Who listens on a TCP port, for people; null when nobody does, or someone whose processes we can't see. */
export const portHolder = (port: number): Promise<PortHolder | null> => platform.sockets.holder(port);
