/** What the server shall tell unasked: changes of its lists, and of the resources that somebody follows. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { JsonRpcMessage, RequestOptions } from '../context.ts';
import { isFields } from '../fields.ts';
import type { Negotiated } from './era.ts';
import { SUBSCRIPTION_KEY } from './meta.ts';

/** Milliseconds before a subscription that the server ended is asked for again. */
const RELISTEN_DELAY = 5000;
/** Milliseconds for the server's word that it listens; one that says nothing is believed. */
const ACKNOWLEDGED = 5000;
const UNLIMITED: RequestOptions = { timeout: Number.POSITIVE_INFINITY, hardTimeout: Number.POSITIVE_INFINITY };

export interface SubscriptionParts {
  readonly request: (method: string, params: unknown, options?: RequestOptions) => Promise<unknown>;
  readonly ended: () => boolean;
}

export interface Subscriptions {
  /** After the handshake. */
  open(negotiated: Negotiated): void;
  /** From now on these resources are followed. */
  follow(uris: readonly string[]): Promise<void>;
  /** Our own long requests in flight, which are no work. */
  readonly waiting: () => number;
  /** Takes back what is open; nothing is asked for again. */
  close(): void;
}

export function createSubscriptions({ request, ended }: SubscriptionParts): Subscriptions {
  let era: Negotiated['era'] = 'legacy';
  /** Flags of the lists whose changes the server tells of. */
  let lists: Readonly<Record<string, true>> = {};
  /** URIs that the server knows to be followed. */
  let followed: readonly string[] = [];
  /** One change after the other. */
  let last: Promise<unknown> = Promise.resolve();
  let waiting = 0;
  let current: AbortController | null = null;

  /** Resolves when the server tells of all this; from then on the subscription before it is not needed. */
  function listen(uris: readonly string[]): Promise<void> {
    const before = current;
    const notifications = { ...lists, ...(uris.length > 0 && { resourceSubscriptions: uris }) };
    if (Object.keys(notifications).length === 0) {
      current = null;
      before?.abort();
      return Promise.resolve();
    }
    const own = new AbortController();
    waiting += 1;
    return new Promise((resolve, reject) => {
      const begun = () => {
        clearTimeout(patience);
        if (own.signal.aborted || current === own) return;
        current = own;
        before?.abort();
        resolve();
      };
      const patience = setTimeout(begun, ACKNOWLEDGED).unref();
      const onNotification = ({ method }: JsonRpcMessage) =>
        method === 'notifications/subscriptions/acknowledged' && begun();
      const options = { ...UNLIMITED, signal: own.signal, onNotification };
      request('subscriptions/listen', { notifications }, options).then(
        () => {
          waiting -= 1;
          begun();
          if (current === own) void again(own);
        },
        // One that won't is not asked twice; what was agreed before stays.
        (error) => {
          waiting -= 1;
          clearTimeout(patience);
          if (current === own) current = null;
          reject(error);
        },
      );
    });
  }

  /** The server has ended the subscription. */
  async function again(own: AbortController) {
    await sleep(RELISTEN_DELAY, undefined, { ref: false });
    if (ended() || current !== own) return;
    await inOrder(() => (current === own ? listen(followed) : Promise.resolve())).catch(() => {});
  }

  const inOrder = <T>(work: () => Promise<T>): Promise<T> => {
    const done = last.then(work, work);
    last = done.catch(() => {});
    return done;
  };

  /** `followed` is at every moment what the server has agreed to. */
  async function followLegacy(uris: readonly string[]): Promise<void> {
    const now = new Set(followed);
    const wanted = new Set(uris);
    const change = (method: string, uri: string, done: () => void) =>
      request(method, { uri }).then(() => {
        done();
        followed = [...now];
      });
    const changes = await Promise.allSettled([
      ...[...wanted]
        .filter((uri) => !now.has(uri))
        .map((uri) => change('resources/subscribe', uri, () => now.add(uri))),
      ...followed
        .filter((uri) => !wanted.has(uri))
        .map((uri) => change('resources/unsubscribe', uri, () => now.delete(uri))),
    ]);
    for (const each of changes) if (each.status === 'rejected') throw each.reason;
  }

  async function followModern(uris: readonly string[]): Promise<void> {
    await listen(uris);
    followed = uris;
  }

  return {
    open(negotiated) {
      era = negotiated.era;
      if (era === 'legacy') return;
      const { capabilities } = negotiated.server;
      const tells = (kind: string) => {
        const capability = isFields(capabilities) ? capabilities[kind] : undefined;
        return isFields(capability) && capability.listChanged === true;
      };
      lists = Object.fromEntries(
        ['tools', 'prompts', 'resources'].filter(tells).map((kind) => [`${kind}ListChanged`, true]),
      );
      inOrder(() => listen([])).catch(() => {});
    },
    follow(uris) {
      const wanted = [...new Set(uris)];
      return inOrder(() => (era === 'legacy' ? followLegacy(wanted) : followModern(wanted)));
    },
    waiting: () => waiting,
    close() {
      current = null;
    },
  };
}

interface Tagged {
  readonly _meta?: Readonly<Record<string, unknown>>;
}

/** Modern servers tag what they tell unasked with the id of the request that asked for it. */
export const subscriptionOf = (message: JsonRpcMessage): unknown => {
  const meta = (message.params as Tagged | null | undefined)?._meta;
  return isFields(meta) ? meta[SUBSCRIPTION_KEY] : undefined;
};

/** The tag is ours alone. */
export function withoutSubscription(message: JsonRpcMessage): JsonRpcMessage {
  const { _meta, ...params } = message.params as Tagged;
  const { [SUBSCRIPTION_KEY]: _, ...meta } = _meta ?? {};
  return { ...message, params: Object.keys(meta).length > 0 ? { ...params, _meta: meta } : params };
}
