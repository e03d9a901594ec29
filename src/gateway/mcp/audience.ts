import { SUBSCRIPTION_KEY } from '../../../actors/mcp/meta.ts';
import type { ListKind } from '../contracts.ts';
import type { Client, ClientRequest } from './contracts.ts';

/** Milliseconds in which changes are gathered: a start changes all lists of a plugin, an edit those of many. */
const GATHER = 50;

/** A legacy session. */
export interface Listener {
  /** Plugins that it has used, with the process that works for it: the plugin's own name where all share one. */
  readonly used: Map<string, string | null>;
  /** How to end what it follows, by the URI as it knows it. */
  readonly followed: Map<string, () => void>;
}

/** A `subscriptions/listen` of a modern client. */
export interface Subscription {
  readonly kinds: ReadonlySet<ListKind>;
  tell(method: string, params: Readonly<Record<string, unknown>>): void;
}

/** Who is to hear of changes at one endpoint. */
export interface Audience {
  readonly listeners: ReadonlyMap<Client, Listener>;
  readonly isEmpty: () => boolean;
  /** The session of a legacy client, from its first word on. */
  of(client: Client): Listener;
  left(client: Client): void;
  subscribe(subscription: Subscription): () => void;
  /** Some list of that kind is another one; told once for many changes at a time. */
  changed(kind: ListKind): void;
  close(): void;
}

export function createAudience(): Audience {
  const listeners = new Map<Client, Listener>();
  /** What still runs for one that has left must not bring it back: nobody would end that. */
  const gone = new WeakSet<Client>();
  const subscriptions = new Set<Subscription>();
  const gathered = new Set<ListKind>();
  let timer: NodeJS.Timeout | null = null;

  function tell(): void {
    timer = null;
    const kinds = [...gathered];
    gathered.clear();
    for (const kind of kinds) {
      const method = `notifications/${kind}/list_changed`;
      for (const client of [...listeners.keys()]) client.notify(method, undefined);
      for (const subscription of [...subscriptions]) if (subscription.kinds.has(kind)) subscription.tell(method, {});
    }
  }

  return {
    listeners,
    isEmpty: () => listeners.size === 0 && subscriptions.size === 0,
    of(client) {
      let listener = listeners.get(client);
      if (listener === undefined) {
        listener = { used: new Map(), followed: new Map() };
        if (!gone.has(client)) listeners.set(client, listener);
      }
      return listener;
    },
    left(client) {
      gone.add(client);
      for (const end of listeners.get(client)?.followed.values() ?? []) end();
      listeners.delete(client);
    },
    subscribe(subscription) {
      subscriptions.add(subscription);
      return () => subscriptions.delete(subscription);
    },
    changed(kind) {
      if (listeners.size === 0 && subscriptions.size === 0) return;
      gathered.add(kind);
      timer ??= setTimeout(tell, GATHER).unref();
    },
    close() {
      if (timer !== null) clearTimeout(timer);
      for (const client of [...listeners.keys()]) this.left(client);
      subscriptions.clear();
    },
  };
}

/** Speaks on the stream of a `subscriptions/listen`: each message says which one it belongs to. */
export const speakOn = (request: ClientRequest): Subscription['tell'] => {
  const meta = { [SUBSCRIPTION_KEY]: request.id };
  return (method, params) => {
    const own = params._meta;
    request.notify(method, { ...params, _meta: { ...(typeof own === 'object' ? own : null), ...meta } });
  };
};
