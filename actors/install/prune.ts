import { readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ActorContext } from '../context.ts';
import { pluginOf } from '../instance-name.ts';
import { MARKER, removeEnvironment } from './marker.ts';

/** Milliseconds: long enough to take a free lock on a busy machine, short enough for a start to wait. */
const LOCK_PATIENCE = 1000;

/** Milliseconds. A whole environment that is younger may be on its way into the facts, or just starting, in another process. */
const SETTLED_AFTER = 10 * 60_000;

/**
 * Removes a plugin's other environments but the one before, and half-made ones of supervisors that were killed. One that
 * is being made (its lock is taken), was made just now or is run in by another instance is left for a later time; nothing
 * here fails an install that has succeeded.
 */
export async function pruneEnvironments(context: ActorContext, plugin: string, current: string): Promise<void> {
  const { store, log } = context;
  const all = dirname(store.environmentDir(plugin, current));
  const others = (await readdir(all).catch(() => [])).filter(
    (name) => join(all, name) !== store.environmentDir(plugin, current),
  );
  const made = new Map(await Promise.all(others.map(async (name) => [name, await madeAt(join(all, name))] as const)));
  const before = Math.max(...made.values());
  const inUse = new Set([...context.instances.values()].map(({ environment }) => environment));
  for (const name of others) {
    if (inUse.has(join(all, name))) continue;
    const at = made.get(name) ?? 0;
    if (at > 0 && (at === before || Date.now() - at < SETTLED_AFTER)) continue;
    try {
      await store.withLock(environmentLock(plugin, name), AbortSignal.timeout(LOCK_PATIENCE), () =>
        removeEnvironment(join(all, name)),
      );
    } catch (error) {
      log.debug({ plugin, environment: name, error: String(error) }, 'an old environment is kept for now');
    }
  }
}

/** When it was whole, in milliseconds since the epoch; 0 for a half-made one. */
const madeAt = (dir: string): Promise<number> =>
  stat(join(dir, MARKER)).then(
    ({ mtimeMs }) => mtimeMs,
    () => 0,
  );

/** Held while an environment is made, and while it is removed. */
export const environmentLock = (instance: string, key: string): string => `env:${pluginOf(instance)}:${key}`;
