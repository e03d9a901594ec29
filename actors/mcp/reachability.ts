import { connect } from 'node:net';
import { createFailure, type Failure } from '../../machines/failure.ts';
import type { HttpClient, HttpError, HttpTarget } from './http-client.ts';

/** Errors that say "nobody listens there", rather than "this exchange broke". */
const REFUSED: ReadonlySet<string> = new Set(['ECONNREFUSED', 'ENOENT']);
/** The same of a server that runs elsewhere. */
const UNREACHABLE: ReadonlySet<string> = new Set(
  'ECONNREFUSED ENOTFOUND EAI_AGAIN EHOSTUNREACH ENETUNREACH ETIMEDOUT UND_ERR_CONNECT_TIMEOUT'.split(' '),
);
const CHECKS = 3;
/** Milliseconds; the verdict comes within the time that the broker waits for an exit. */
const CHECK_DELAY = 80;

export interface Reachability {
  /** Looks into an error of an exchange: when nobody listens any more, the session is lost. */
  suspect(error: HttpError): void;
  stop(): void;
}

/** A refused connection is checked again three times, 80 ms apart (a server may be re-opening its port). */
export function watchReachability(client: HttpClient, lost: (failure: Failure) => void): Reachability {
  const { target, remote } = client;
  const isGone = remote === undefined ? () => refuses(target) : () => isUnreachable(client);
  const tells = remote === undefined ? REFUSED : UNREACHABLE;
  let timer: NodeJS.Timeout | null = null;
  let stopped = false;
  let checking = false;

  const check = (left: number) => {
    timer = setTimeout(() => {
      isGone().then((refused) => {
        if (stopped) return;
        if (!refused) checking = false;
        else if (left > 1) check(left - 1);
        else {
          lost(
            createFailure('RUN_DISCONNECTED', {
              message:
                remote === undefined
                  ? `The program runs, but nobody listens on ${target.socketPath ?? target.origin} any more.`
                  : `${remote.url.host} can't be reached any more.`,
            }),
          );
        }
      });
    }, CHECK_DELAY).unref();
  };

  return {
    suspect(error) {
      if (stopped || checking || !tells.has(error.code ?? '')) return;
      checking = true;
      check(CHECKS);
    },
    stop() {
      stopped = true;
      if (timer !== null) clearTimeout(timer);
    },
  };
}

/** By the way that calls take, a proxy included; any answer at all will do. */
const isUnreachable = (client: HttpClient): Promise<boolean> =>
  new Promise((resolve) => {
    const reached = () => resolve(false);
    client.send(
      { method: 'HEAD', path: '/', headers: {} },
      { head: reached, data: () => {}, end: reached, error: (error) => resolve(UNREACHABLE.has(error.code ?? '')) },
    );
  });

const refuses = ({ origin, socketPath }: HttpTarget): Promise<boolean> =>
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
