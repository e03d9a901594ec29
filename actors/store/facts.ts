import { mkdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { Log } from '../context.ts';
import { atomicWrite } from './atomic-write.ts';
import type { Facts, FactsPatch } from './store.ts';

export interface FactsFile {
  read(plugin: string): Promise<Facts>;
  write(plugin: string, patch: FactsPatch): Promise<void>;
}

/**
 * `<folder>/<plugin>/facts.json`. Writes of one process come one after the other; between processes the last one wins,
 * which is safe because every fact carries the key that it answers to and is made anew when that doesn't fit.
 */
export function createFacts(options: {
  readonly folderOf: (plugin: string) => string;
  /** A fresh path on the home's file system; what a crash leaves there is swept. */
  readonly tempPath: () => string;
  readonly now: () => number;
  readonly log: Log;
}): FactsFile {
  const { folderOf, tempPath, now, log } = options;
  const writes = new Map<string, Promise<void>>();

  async function read(plugin: string): Promise<Facts> {
    const path = join(folderOf(plugin), 'facts.json');
    const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return null;
      // A folder in its place: set aside like a text that says nothing.
      if (error.code === 'EISDIR') return '';
      throw error;
    });
    if (text === null) return {};
    const facts = parse(text);
    if (facts !== null) return facts;
    const aside = `${path}.broken-${now()}`;
    log.warn({ plugin, path: aside }, 'facts could not be read and were set aside');
    // Somebody else may have set it aside, or have written good ones, in between.
    await rename(path, aside).catch(() => undefined);
    return {};
  }

  async function merge(plugin: string, patch: FactsPatch): Promise<void> {
    const folder = folderOf(plugin);
    // JSON leaves out what is undefined: forgotten.
    const text = JSON.stringify({ ...(await read(plugin)), ...patch }, null, 1);
    await mkdir(folder, { recursive: true });
    await atomicWrite(join(folder, 'facts.json'), `${text}\n`, tempPath());
  }

  return {
    read,
    write(plugin, patch) {
      const written = (writes.get(plugin) ?? Promise.resolve()).then(() => merge(plugin, patch));
      const settled = written.catch(() => undefined);
      writes.set(plugin, settled);
      void settled.then(() => {
        if (writes.get(plugin) === settled) writes.delete(plugin);
      });
      return written;
    },
  };
}

function parse(text: string): Facts | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Facts) : null;
  } catch {
    return null;
  }
}
