import type { Catalogs, KnownCatalog } from '../contracts.ts';

/** Milliseconds that a first list waits for a plugin that was never seen; clients give 10 to 30 s. */
export const LIST_WAIT = 8000;
/** Milliseconds that a handshake waits for it: it must be answered within a second. */
const HANDSHAKE_WAIT = 700;

/** Waits for the lists of plugins that were never seen; the waiting of all clients for one plugin is counted together. */
export interface Acquaintance {
  /** Starts it in the background if need be; null when it isn't known in time, or can't be started. */
  forHandshake(plugin: string): Promise<KnownCatalog | null>;
  forList(plugin: string, signal: AbortSignal): Promise<KnownCatalog | null>;
}

export function createAcquaintance(
  catalogs: Catalogs,
  listWait = LIST_WAIT,
  handshakeWait = HANDSHAKE_WAIT,
): Acquaintance {
  /** When somebody first waited for its lists. */
  const since = new Map<string, number>();

  async function wait(plugin: string, ms: number, signal?: AbortSignal): Promise<KnownCatalog | null> {
    const known = catalogs.get(plugin);
    if (known !== null) {
      since.delete(plugin);
      return known;
    }
    let timer: NodeJS.Timeout | undefined;
    let over = () => {};
    const patience = new Promise<null>((resolve) => {
      over = () => resolve(null);
      timer = setTimeout(over, ms);
      signal?.addEventListener('abort', over, { once: true });
    });
    // Learning goes on when nobody waits: whoever asks next finds it done.
    const learned = catalogs.learn(plugin).catch(() => null);
    try {
      return await Promise.race([learned, patience]);
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', over);
    }
  }

  return {
    forHandshake: (plugin) => wait(plugin, handshakeWait),
    forList(plugin, signal) {
      const now = performance.now();
      const begun = since.get(plugin) ?? now;
      since.set(plugin, begun);
      return wait(plugin, Math.max(0, begun + listWait - now), signal);
    },
  };
}
