/**
 * `ledger/<owner>/<cookie>.json`: which processes a supervisor owns, written before they exist (intent) and again with
 * their identity. Whoever starts next on this home ends what dead owners left; a living owner's is never touched.
 */

import { mkdir, readdir, readFile, rm, rmdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Log } from '../context.ts';
import { endPids, familyPids, groupMembers, isSameProcess } from '../groups.ts';
import { atomicWrite } from './atomic-write.ts';
import type { Owner } from './owner.ts';
import type { Ledger, ProcessIdentity } from './store.ts';

interface Entry {
  readonly plugin: string;
  readonly generation: number;
  readonly cookie: string;
  /** Null until it was spawned; it may live all the same, if its supervisor died in between. */
  readonly leader: ProcessIdentity | null;
}

/** Milliseconds after which the files of a foreign owner (other boot, other container) are taken for forgotten. */
export const FOREIGN_LIFE = 24 * 60 * 60 * 1000;

export function createLedger(options: {
  readonly folder: string;
  readonly owner: Owner;
  readonly now: () => number;
  readonly log: Log;
}): Ledger {
  const { folder, owner, now, log } = options;
  const own = join(folder, owner.name);
  /** Ours, not those of another supervisor in this process. */
  const entries = new Map<string, Entry>();
  const fileOf = (cookie: string) => join(own, `${encodeURIComponent(cookie)}.json`);

  async function write(entry: Entry): Promise<void> {
    entries.set(entry.cookie, entry);
    await mkdir(own, { recursive: true });
    await atomicWrite(fileOf(entry.cookie), JSON.stringify(entry));
  }

  async function clear(cookie: string): Promise<void> {
    entries.delete(cookie);
    await rm(fileOf(cookie), { force: true });
  }

  async function reapOwner(name: string): Promise<number[]> {
    const path = join(folder, name);
    const verdict = owner.judge(name);
    if (verdict === 'foreign') {
      const { mtimeMs } = await stat(path);
      if (now() - mtimeMs > FOREIGN_LIFE) await rm(path, { recursive: true, force: true });
    }
    if (verdict !== 'dead') return [];
    const ended: number[] = [];
    for (const entry of await readEntries(path)) ended.push(...(await endEntry(entry)));
    await rm(path, { recursive: true, force: true });
    return ended;
  }

  async function endEntry({ plugin, cookie, leader }: Entry): Promise<number[]> {
    const cookies = cookie === '' ? [] : [cookie];
    const carriers = familyPids({ cookies });
    // A group without its leader is known to be ours by one member with our cookie; its number alone may be reused.
    const groups =
      leader !== null && (isSameProcess(leader) || groupMembers(leader.pid).some((pid) => carriers.includes(pid)))
        ? [leader.pid]
        : [];
    const found = familyPids({ groups, cookies });
    if (found.length === 0) return [];
    const left = await endPids({ groups, cookies });
    log.warn({ plugin, pids: found, left }, 'ended processes that a dead supervisor had left');
    return found.filter((pid) => !left.includes(pid));
  }

  return {
    intend: (intent) => write({ ...intent, leader: null }),
    async record(cookie, leader) {
      const entry = entries.get(cookie);
      if (entry !== undefined) await write({ ...entry, leader });
    },
    clear,
    async reap() {
      const ended: number[] = [];
      for (const name of await listIfThere(folder)) {
        try {
          ended.push(...(await reapOwner(name)));
        } catch (error) {
          log.warn({ err: error, owner: name }, 'a ledger could not be reaped');
        }
      }
      return ended;
    },
    async close() {
      for (const cookie of entries.keys()) await clear(cookie);
      // Not empty: another supervisor in this process still uses it.
      await rmdir(own).catch(() => undefined);
    },
  };
}

async function readEntries(path: string): Promise<Entry[]> {
  const names = (await listIfThere(path)).filter((name) => name.endsWith('.json'));
  const texts = await Promise.all(names.map((name) => readFile(join(path, name), 'utf8').catch(() => '')));
  return texts.flatMap((text, index) => parse(text) ?? entryFromName(names[index]!));
}

/** Half written at a power cut, but its name still says which cookie to look for. */
const entryFromName = (name: string): Entry => ({
  plugin: '',
  generation: 0,
  cookie: decodeURIComponent(name.slice(0, -'.json'.length)),
  leader: null,
});

function parse(text: string): Entry | null {
  try {
    const entry: unknown = JSON.parse(text);
    return typeof entry === 'object' && entry !== null && 'cookie' in entry ? (entry as Entry) : null;
  } catch {
    return null;
  }
}

const listIfThere = (path: string): Promise<string[]> =>
  readdir(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
