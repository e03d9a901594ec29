/**
 * `ledger/<owner>/<cookie>.json`: which processes a supervisor owns, written before they exist (intent) and again with
 * their identity. Whoever starts next on this home ends what dead owners left; a living owner's is never touched.
 */

import { mkdir, readdir, readFile, rm, rmdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type ContainerEngine, removeContainers } from '../container-engine.ts';
import type { Log } from '../context.ts';
import { endPids, type Family, familyPids, groupMembers, isSameProcess } from '../groups.ts';
import { atomicWrite } from './atomic-write.ts';
import type { Owner } from './owner.ts';
import type { Ledger, ProcessIdentity } from './store.ts';

interface Entry {
  readonly plugin: string;
  readonly generation: number;
  readonly cookie: string;
  /** Null until it was spawned; it may live all the same, if its supervisor died in between. */
  readonly leader: ProcessIdentity | null;
  /** Who runs the container that it started, if it did. */
  readonly engine?: ContainerEngine | null;
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
    const put = async () => {
      await mkdir(own, { recursive: true });
      await atomicWrite(fileOf(entry.cookie), JSON.stringify(entry));
    };
    // Another supervisor in this process may remove the folder, empty at its close, between the two.
    await put().catch((error: NodeJS.ErrnoException) => (error.code === 'ENOENT' ? put() : Promise.reject(error)));
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
    const entries = await readEntries(path);
    // All at once: one after the other, each would wait for its own stubborn ones.
    const family = familyOf(name, entries);
    const found = familyPids(family);
    const left = found.length === 0 ? [] : await endPids(family);
    // After the program that started them: an engine may be told to make one at the last moment.
    const containers = (await Promise.all(entries.map(removeContainer))).flat();
    // What outlives SIGKILL stays in the ledger: a later start may be able to end it.
    if (left.length === 0) await rm(path, { recursive: true, force: true });
    if (found.length > 0 || containers.length > 0) {
      const plugins = [...new Set(entries.map(({ plugin }) => plugin))];
      log.warn({ plugins, pids: found, left, containers }, 'ended processes that a dead supervisor had left');
    }
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
      // What was given up on while it lived is the next start's to end.
      for (const [cookie, entry] of entries) {
        if (familyPids({ cookies: [cookie] }).length > 0) continue;
        await removeContainer(entry);
        await clear(cookie);
      }
      // Not empty: that, or another supervisor in this process still uses it.
      await rmdir(own).catch(() => undefined);
    },
  };
}

const removeContainer = ({ engine, cookie }: Entry) => (engine ? removeContainers(engine, cookie) : []);

/** What of all these lives, and can be known to be theirs. */
function familyOf(owner: string, entries: readonly Entry[]): Family {
  const cookies = [...new Set(entries.flatMap(({ cookie }) => (cookie === '' ? [] : cookieOfOwner(owner, cookie))))];
  const carriers = familyPids({ cookies });
  // A group without its leader is known to be ours by one member with our cookie; its number alone may be reused.
  const isOurs = (leader: ProcessIdentity) =>
    isSameProcess(leader) || groupMembers(leader.pid).some((pid) => carriers.includes(pid));
  return { cookies, groups: entries.flatMap(({ leader }) => (leader !== null && isOurs(leader) ? leader.pid : [])) };
}

/** What all cookies of a dead owner begin with (`actors/cookie`): one look through the processes finds all of his. */
function cookieOfOwner(owner: string, cookie: string): string {
  const [home, its] = cookie.split('.');
  return its !== undefined && its !== '' && owner.startsWith(`${its}-`) ? `${home}.${its}.` : cookie;
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
  cookie: cookieOf(name.slice(0, -'.json'.length)),
  leader: null,
});

function cookieOf(name: string): string {
  try {
    return wholeCookie(decodeURIComponent(name));
  } catch {
    return '';
  }
}

/** The start of a cookie would name other processes too, up to those of every supervisor on the home. */
const wholeCookie = (cookie: unknown): string => (typeof cookie === 'string' && !cookie.endsWith('.') ? cookie : '');

function parse(text: string): Entry | null {
  try {
    const { plugin, generation, cookie, leader, engine } = JSON.parse(text) as Entry;
    if (wholeCookie(cookie) === '') return null;
    return {
      plugin,
      generation,
      cookie,
      leader: isIdentity(leader) ? leader : null,
      engine: isEngine(engine) ? engine : null,
    };
  } catch {
    return null;
  }
}

/** Group 0 is our own, and 1 everybody's. */
const isIdentity = (leader: ProcessIdentity | null | undefined): leader is ProcessIdentity =>
  typeof leader?.bootId === 'string' &&
  typeof leader.startTime === 'string' &&
  Number.isSafeInteger(leader.pid) &&
  leader.pid > 1;

const isEngine = (engine: ContainerEngine | null | undefined): engine is ContainerEngine =>
  typeof engine?.program === 'string' &&
  engine.program !== '' &&
  Object.values(engine.env ?? [null]).every((value) => typeof value === 'string');

const listIfThere = (path: string): Promise<string[]> =>
  readdir(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
