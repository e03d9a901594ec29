import { readdir, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { ActorContext } from '../context.ts';
import { MARKER } from './marker.ts';

/** Long enough to take a free lock on a busy machine, short enough that nobody waits for it. */
const LOCK_PATIENCE = 200;

/** A whole environment that is younger may be on its way into the facts, or just starting, in another process. */
const SETTLED_AFTER = 10 * 60_000;

/**
 * Removes a plugin's other environments but the ones to keep, and half-made ones of supervisors that were killed. One
 * that is being made (its lock is taken) or was made just now is left for a later time; nothing here fails an install
 * that has succeeded.
 */
export async function pruneEnvironments(context: ActorContext, plugin: string, keep: readonly string[]): Promise<void> {
  const { store, log } = context;
  const kept = new Set(keep.map((key) => basename(store.environmentDir(plugin, key))));
  const all = dirname(store.environmentDir(plugin, 'any'));
  for (const name of await readdir(all).catch(() => [])) {
    if (kept.has(name) || (await isRecent(join(all, name)))) continue;
    try {
      await store.withLock(environmentLock(plugin, name), AbortSignal.timeout(LOCK_PATIENCE), () =>
        rm(join(all, name), { recursive: true, force: true }),
      );
    } catch (error) {
      log.debug({ plugin, environment: name, error: String(error) }, 'an old environment is kept for now');
    }
  }
}

const isRecent = async (dir: string): Promise<boolean> =>
  stat(join(dir, MARKER)).then(
    ({ mtimeMs }) => Date.now() - mtimeMs < SETTLED_AFTER,
    () => false,
  );

/** Held while an environment is made, and while it is removed. */
export const environmentLock = (plugin: string, key: string): string => `env:${plugin}:${key}`;
