import { connect } from 'node:net';
import { createFailure, type Failure } from '../../machines/failure.ts';
import type { HttpError, HttpTarget } from './http-client.ts';

/** Errors that say "nobody listens there", rather than "this exchange broke". */
const REFUSED: ReadonlySet<string> = new Set(['ECONNREFUSED', 'ENOENT']);
const CHECKS = 3;
/** Milliseconds; the verdict comes within the time that the broker waits for an exit. */
const CHECK_DELAY = 80;

export interface Reachability {
  /** Looks into an error of an exchange: when nobody listens any more, the session is lost. */
  suspect(error: HttpError): void;
  stop(): void;
}

/** A refused connection is checked again three times, 80 ms apart (a server may be re-opening its port). */
export function watchReachability(target: HttpTarget, lost: (failure: Failure) => void): Reachability {
  let timer: NodeJS.Timeout | null = null;
  let stopped = false;
  let checking = false;

  const check = (left: number) => {
    timer = setTimeout(() => {
      tryConnect(target).then((refused) => {
        if (stopped) return;
        if (!refused) checking = false;
        else if (left > 1) check(left - 1);
        else {
          lost(
            createFailure('RUN_DISCONNECTED', {
              message: `The program runs, but nobody listens on ${target.socketPath ?? target.origin} any more.`,
            }),
          );
        }
      });
    }, CHECK_DELAY).unref();
  };

  return {
    suspect(error) {
      if (stopped || checking || !REFUSED.has(error.code ?? '')) return;
      checking = true;
      check(CHECKS);
    },
    stop() {
      stopped = true;
      if (timer !== null) clearTimeout(timer);
    },
  };
}

const tryConnect = ({ origin, socketPath }: HttpTarget): Promise<boolean> =>
  new Promise((resolve) => {
    const { hostname, port } = new URL(origin);
    const socket =
      socketPath === null
        ? connect({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) })
        : connect({ path: socketPath });
    socket.unref();
    socket.once('connect', () => {
      socket.destroy();
      resolve(false);
    });
    socket.once('error', (error: HttpError) => resolve(REFUSED.has(error.code ?? '')));
  });
