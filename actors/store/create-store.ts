import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Log } from '../context.ts';
import { pluginOf } from '../instance-name.ts';
import { claimDaemon } from './daemon.ts';
import { createFacts } from './facts.ts';
import { openHome } from './home.ts';
import { withHomeErrors } from './home-error.ts';
import { sourceHash } from './keys.ts';
import { createLedger } from './ledger.ts';
import { createLocks } from './locks.ts';
import { createOwner } from './owner.ts';
import type { Ledger, Store } from './store.ts';
import { makeTemp, sweepTemp, tempPath } from './temp.ts';

export interface StoreOptions {
  /** Folder of the home; made by `open`. */
  readonly home: string;
  readonly log?: Log;
  /** Milliseconds since the epoch; default `Date.now`. */
  readonly now?: () => number;
}

const silent: Log = { debug() {}, info() {}, warn() {}, error() {} };

/** The home folder. Nothing is written before `open`; every method opens it first. */
export function createStore({ home: given, log = silent, now = Date.now }: StoreOptions): Store {
  const home = resolve(given);
  const below = (...parts: string[]) => join(home, ...parts);
  const owner = createOwner();
  const pluginDir = (plugin: string) => below('plugins', fileName(plugin));
  // What is on the disk is the plugin's, whichever of its instances asks.
  const facts = createFacts({ folderOf: pluginDir, tempPath: () => tempPath(below('tmp'), 'facts', owner), now, log });
  const locks = createLocks(() => opening(() => mkdir(below('locks'), { recursive: true })));
  const files = createLedger({ folder: below('ledger'), owner, now, log });

  let opened: Promise<void> | null = null;
  const open = () => {
    opened ??= withHomeErrors(() => openHome(home, owner)).catch((error) => {
      // The disk may have room, or the folder be made usable, the next time.
      opened = null;
      throw error;
    });
    return opened;
  };
  const opening = async <T>(work: () => Promise<T>): Promise<T> => {
    await open();
    return withHomeErrors(work);
  };

  const ledger: Ledger = {
    intend: (entry) => opening(() => files.intend(entry)),
    record: (cookie, leader) => opening(() => files.record(cookie, leader)),
    clear: (cookie) => withHomeErrors(() => files.clear(cookie)),
    reap: () =>
      opening(async () => {
        const ended = await files.reap();
        await sweepTemp(below('tmp'), owner, now());
        return ended;
      }),
    close: () => withHomeErrors(() => files.close()),
  };

  return {
    home,
    open,
    readFacts: (instance) => opening(() => facts.read(pluginOf(instance))),
    writeFacts: (instance, patch) => opening(() => facts.write(pluginOf(instance), patch)),
    checkoutDir: (source, commit) => below('checkouts', sourceHash(source), fileName(commit)),
    environmentDir: (instance, key) => below('envs', fileName(pluginOf(instance)), fileName(key)),
    logFile: (instance) => below('logs', `${fileName(pluginOf(instance))}.log`),
    catalogFile: (plugin) => join(pluginDir(plugin), 'catalog.json'),
    dataDir: (instance) => below('data', fileName(pluginOf(instance))),
    runtimeDir: (name) => below('runtimes', fileName(name)),
    makeTemp: (prefix) => opening(() => makeTemp(below('tmp'), prefix, owner)),
    withLock: (name, signal, work) => locks.withLock(below('locks', `${fileName(name)}.lock`), signal, work),
    claimDaemon: (info) => opening(() => claimDaemon(below('daemon.lock'), info, now)),
    ledger,
  };
}

/** One part of a path, whatever the name is; long ones end in a hash. */
function fileName(name: string): string {
  const safe = name.replace(/^\.|[^A-Za-z0-9._@#+-]/g, (character) =>
    encodeURIComponent(character).replace('.', '%2E'),
  );
  if (safe.length <= 120) return safe || '%';
  return `${safe.slice(0, 100)}-${createHash('sha256').update(name).digest('hex').slice(0, 16)}`;
}
