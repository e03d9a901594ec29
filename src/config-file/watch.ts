/** Watches the configuration file, and says when it says something else. */

import { type FSWatcher, watch } from 'node:fs';
import { readFile, realpath } from 'node:fs/promises';
import { basename, dirname } from 'node:path';

export interface WatchOptions {
  /** Every path whose appearance or change may matter; the first one that exists counts. */
  readonly places: readonly string[];
  /** Something of it changed. Never called while a call of it is still pending. */
  readonly changed: () => Promise<void>;
  /** Milliseconds of quiet that count as one edit; default 100: editors write a temporary file, then rename it. */
  readonly quiet?: number;
  /** Milliseconds between two looks at the text itself, for file systems that tell nothing; default 5000. */
  readonly look?: number;
}

export interface ConfigWatch {
  /** Looks now, whether anything seems to have changed or not. */
  reload(): Promise<void>;
  close(): void;
}

/**
 * Folders are watched rather than files: an editor puts another file in the place of the old one, and a mounted
 * configuration is a link to a link that is turned over. What is told is only a reason to look: the text decides.
 */
export function watchConfig({ places, changed, quiet = 100, look = 5000 }: WatchOptions): ConfigWatch {
  const watchers = new Map<string, FSWatcher>();
  let closed = false;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | null = null;
  let again = false;
  let known: string | null = null;
  /** The text that there was when watching began is what the owner has read. */
  const begun = textOf(places).then((text) => {
    known = text;
  });

  const soon = () => {
    if (closed) return;
    clearTimeout(timer);
    timer = setTimeout(() => void run(false), quiet).unref();
  };

  async function run(force: boolean): Promise<void> {
    if (running !== null) {
      again = true;
      return running;
    }
    running = (async () => {
      await begun;
      do {
        again = false;
        const text = await textOf(places);
        await follow();
        if (!force && text === known) continue;
        known = text;
        force = false;
        if (!closed) await changed();
      } while (again && !closed);
    })().finally(() => {
      running = null;
    });
    return running;
  }

  /** The folders of every place, and of the file that a link leads to; they may change with any edit. */
  async function follow(): Promise<void> {
    const wanted = new Set<string>();
    for (const place of places) {
      wanted.add(dirname(place));
      const real = await realpath(place).catch(() => null);
      if (real !== null) wanted.add(dirname(real));
    }
    if (closed) return;
    for (const [folder, watcher] of watchers) {
      if (wanted.has(folder)) continue;
      watcher.close();
      watchers.delete(folder);
    }
    for (const folder of wanted) {
      if (watchers.has(folder)) continue;
      try {
        const watcher = watch(folder, { persistent: false }, (_event, name) => {
          // A link's own folder names its turning over (`..data`), not the file.
          if (
            name === null ||
            name.startsWith('..') ||
            places.some((place) => basename(place) === name) ||
            isReal(folder)
          )
            soon();
        });
        watcher.on('error', () => {
          watcher.close();
          watchers.delete(folder);
        });
        watchers.set(folder, watcher);
      } catch {
        // Not there yet, or no watches left: the look below finds it.
      }
    }
  }
  const own = new Set(places.map((place) => dirname(place)));
  const isReal = (folder: string) => !own.has(folder);

  void follow();
  const looking = setInterval(() => void run(false), look).unref();

  return {
    reload: () => run(true),
    close() {
      closed = true;
      clearTimeout(timer);
      clearInterval(looking);
      for (const watcher of watchers.values()) watcher.close();
      watchers.clear();
    },
  };
}

/** Of the first that exists, with its path: another file in another place is another configuration. */
async function textOf(places: readonly string[]): Promise<string | null> {
  for (const place of places) {
    try {
      return `${place}\n${await readFile(place, 'utf8')}`;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') return `${place}\n${(error as Error).message}`;
    }
  }
  return null;
}
