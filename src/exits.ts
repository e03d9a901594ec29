/**
 * A broken connection is usually the first sign of an exit: the exit is waited for, so that it can be named. When none
 * follows, a session that has ended is reported; one that lost no more than one exchange (an HTTP server may reset a
 * connection at will) is used again, because the calls beside it are well.
 */

import type { Session } from '../actors/context.ts';
import type { TrafficEvent } from '../machines/events.ts';
import type { Failure } from '../machines/failure.ts';
import type { PluginState } from '../machines/states.ts';

export interface ExitsParts {
  readonly view: (instance: string) => { readonly generation: number; readonly state: PluginState } | null;
  readonly tell: (instance: string, event: TrafficEvent) => void;
  /** Milliseconds in which an exit follows the end of its connection. */
  readonly patience: number;
}

export interface Exits {
  /** Resolves when it is known what became of it; until then no call is given to that session. */
  wait(instance: string, session: Session): Promise<void>;
  /** That waiting, where it goes on or found an end; undefined for a session that is well. */
  awaited(session: Session): Promise<void> | undefined;
  /** Why it ended, or its plugin left service, unasked. */
  lost(session: Session, why: Failure): void;
  whyLost(session: Session): Failure | undefined;
  /** That instance is in another state. */
  entered(instance: string): void;
}

export function createExits({ view, tell, patience }: ExitsParts): Exits {
  /** Sessions that no call is given to, until it is known whether their program has exited. */
  const leaving = new WeakMap<Session, Promise<void>>();
  const lost = new WeakMap<Session, Failure>();
  const entered = new Map<string, Set<() => void>>();

  function wait(plugin: string, session: Session): Promise<void> {
    let gone = leaving.get(session);
    if (gone === undefined) {
      const { generation } = session;
      // Unrouted for a while (a bad health check) it is in service still, and used again later.
      const inService = () => {
        const seen = view(plugin);
        return seen?.generation === generation && (seen.state === 'ready' || seen.state === 'idle');
      };
      gone = new Promise<void>((resolve) => {
        const listeners = entered.get(plugin) ?? new Set();
        entered.set(plugin, listeners);
        const unlisten = () => {
          listeners.delete(done);
          if (listeners.size === 0 && entered.get(plugin) === listeners) entered.delete(plugin);
        };
        const done = () => {
          if (inService()) return;
          clearTimeout(timer);
          unlisten();
          resolve();
        };
        const timer = setTimeout(() => {
          const failure = lost.get(session);
          if (failure === undefined) leaving.delete(session);
          else tell(plugin, { type: 'session.closed', generation, failure });
          unlisten();
          resolve();
        }, patience);
        listeners.add(done);
        done();
      });
      leaving.set(session, gone);
    }
    return gone;
  }

  return {
    wait,
    awaited: (session) => leaving.get(session),
    lost(session, why) {
      lost.set(session, why);
    },
    whyLost: (session) => lost.get(session),
    entered(instance) {
      for (const listener of [...(entered.get(instance) ?? [])]) listener();
    },
  };
}
