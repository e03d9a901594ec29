import type { Dispatcher } from 'undici';
import { createHttpAgent } from '../clone/http-agent.ts';
import type { ActorContext, HttpDispatcher } from '../context.ts';

/** Milliseconds until a connection is there, TLS included: a cold start behind it answers later. */
const CONNECT_TIMEOUT = 10_000;

/** Every connection of one generation of a plugin that runs elsewhere. */
export interface Connections {
  open(callerEnv: ActorContext['callerEnv']): Promise<HttpDispatcher>;
  /** Told to whoever holds one: it is over. */
  readonly ended: Promise<void>;
  /** Says so, and waits until all are closed, or so many milliseconds. */
  end(patience: number): Promise<void>;
  /** Closes what is left, at once. */
  cut(): void;
}

export function createConnections(): Connections {
  const open = new Set<Dispatcher>();
  let tellEnded = () => {};
  const ended = new Promise<void>((resolve) => {
    tellEnded = resolve;
  });
  let allClosed = () => {};

  return {
    ended,
    async open(callerEnv) {
      const agent = await createHttpAgent(callerEnv, {
        headersTimeout: 0,
        bodyTimeout: 0,
        connectTimeout: CONNECT_TIMEOUT,
        directLoopback: true,
      });
      open.add(agent);
      return {
        dispatch: (options, handler) => agent.dispatch(options, handler),
        async destroy() {
          open.delete(agent);
          if (open.size === 0) allClosed();
          await agent.destroy();
        },
      };
    },
    end(patience) {
      return new Promise((resolve) => {
        const timer = setTimeout(resolve, patience);
        allClosed = () => {
          clearTimeout(timer);
          resolve();
        };
        tellEnded();
        if (open.size === 0) allClosed();
      });
    },
    cut() {
      tellEnded();
      for (const agent of [...open]) agent.destroy().catch(() => {});
    },
  };
}
