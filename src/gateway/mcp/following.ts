import type { Log } from '../../../actors/context.ts';
import type { CallOptions, Link, Supervisor } from '../../options.ts';

/** Hears the params of `notifications/resources/updated`, verbatim. */
export type Follower = (params: unknown) => void;

/** Which resources of which plugins somebody follows, over all clients and addresses. */
export interface Following {
  /**
   * From now on the follower hears of that resource, also when the plugin was restarted meanwhile; starts the plugin if it
   * must and keeps it from idling. `who` says whose instance is meant, where each has one. Rejects with the server's
   * refusal. Call what it resolves with to end it.
   */
  follow(plugin: string, uri: string, who: Who, follower: Follower): Promise<() => void>;
  close(): void;
}

/** {}: the one that everybody shares. */
type Who = Pick<CallOptions, 'session' | 'clientCapabilities'>;

/** What is followed of one instance, or of what will be one. */
interface Followed {
  readonly plugin: string;
  readonly who: Who;
  readonly uris: Map<string, Set<Follower>>;
  /** Those of them that the server has agreed to. */
  readonly agreed: Set<string>;
  link: Link | null;
  /** Changes go to the server one after the other. */
  last: Promise<unknown>;
}

export function createFollowing({
  supervisor,
  log,
}: {
  readonly supervisor: Supervisor;
  readonly log: Log;
}): Following {
  const all = new Map<string, Followed>();

  function followedOf(plugin: string, who: Who): Followed {
    const own = supervisor.status(plugin).instances === undefined ? {} : who;
    const key = `${plugin}\0${own.session ?? ''}`;
    let followed = all.get(key);
    if (followed === undefined) {
      followed = { plugin, who: own, uris: new Map(), agreed: new Set(), link: null, last: Promise.resolve() };
      all.set(key, followed);
    }
    return followed;
  }

  function inOrder(followed: Followed, work: () => Promise<void>): Promise<void> {
    const done = followed.last.then(work, work);
    followed.last = done.catch(() => undefined);
    return done;
  }

  async function open(followed: Followed): Promise<Link> {
    if (followed.link !== null) return followed.link;
    const link = await supervisor.open(followed.plugin, followed.who);
    followed.link = link;
    void link.closed.then(() => {
      if (followed.link === link) followed.link = null;
    });
    return link;
  }

  /** The server knows exactly what is agreed, and `more`; of a pool two may have met in one instance. */
  function bring(link: Link, followed: Followed, more: string | null): Promise<void> {
    const uris = new Set(more === null ? [] : [more]);
    for (const other of all.values()) {
      if (other === followed || (other.plugin === followed.plugin && other.link?.instance === link.instance)) {
        for (const uri of other.agreed) uris.add(uri);
      }
    }
    return link.follow([...uris]);
  }

  const add = (followed: Followed, uri: string) =>
    inOrder(followed, async () => {
      // Somebody asked before, or took it back meanwhile.
      if (followed.agreed.has(uri) || !followed.uris.has(uri)) return;
      await bring(await open(followed), followed, uri);
      followed.agreed.add(uri);
    });

  const remove = (followed: Followed, uri: string) =>
    inOrder(followed, async () => {
      if (followed.uris.has(uri)) return;
      followed.agreed.delete(uri);
      const { link } = followed;
      if (link !== null) await bring(link, followed, null);
    })
      .catch((error: unknown) => log.debug({ plugin: followed.plugin, err: error }, 'a resource is still followed'))
      .finally(() => {
        if (followed.uris.size > 0) return;
        followed.link?.close();
        followed.link = null;
        for (const [key, one] of all) if (one === followed) all.delete(key);
      });

  /** A new process knows of nothing. One that refuses a part of it is asked one by one. */
  const again = (followed: Followed) =>
    inOrder(followed, async () => {
      const before = [...followed.uris.keys()];
      const link = await open(followed);
      for (const uri of before) followed.agreed.add(uri);
      try {
        await bring(link, followed, null);
      } catch (error) {
        log.warn({ plugin: followed.plugin, err: error }, 'not all resources could be followed again');
        followed.agreed.clear();
        for (const uri of before) {
          await bring(link, followed, uri).then(
            () => followed.agreed.add(uri),
            () => undefined,
          );
        }
      }
    });

  const forget = [
    supervisor.on('plugin:ready', (ready) => {
      for (const followed of all.values()) {
        if (followed.plugin !== ready.plugin || followed.agreed.size === 0) continue;
        const { link, who } = followed;
        if (link?.generation === ready.generation && link.instance === (ready.instance ?? ready.plugin)) continue;
        // Of several instances only one that was lost is looked for again.
        if (who.session !== undefined && link !== null) continue;
        followed.link = null;
        again(followed).catch((error: unknown) =>
          log.warn({ plugin: ready.plugin, err: error }, 'its resources could not be followed again'),
        );
      }
    }),
    supervisor.on('plugin:message', ({ plugin, method, params, instance = plugin }) => {
      if (method !== 'notifications/resources/updated') return;
      const uri = (params as { uri?: unknown } | null)?.uri;
      if (typeof uri !== 'string') return;
      for (const followed of [...all.values()]) {
        if (followed.plugin !== plugin || (followed.who.session !== undefined && followed.link?.instance !== instance))
          continue;
        for (const [own, followers] of followed.uris) {
          if (isPartOf(uri, own)) for (const follower of [...followers]) follower(params);
        }
      }
    }),
  ];

  return {
    async follow(plugin, uri, who, follower) {
      const followed = followedOf(plugin, who);
      const followers = followed.uris.get(uri) ?? new Set<Follower>();
      followed.uris.set(uri, followers);
      followers.add(follower);
      const end = () => {
        if (!followers.delete(follower) || followers.size > 0 || followed.uris.get(uri) !== followers) return;
        followed.uris.delete(uri);
        void remove(followed, uri);
      };
      try {
        await add(followed, uri);
      } catch (error) {
        end();
        throw error;
      }
      return end;
    },
    close() {
      for (const stop of forget) stop();
      for (const { link } of all.values()) link?.close();
      all.clear();
    },
  };
}

/** A server may tell of a part of what is followed (MCP, resources, subscriptions). */
const isPartOf = (uri: string, followed: string): boolean =>
  uri === followed || uri.startsWith(followed.endsWith('/') ? followed : `${followed}/`);
