/**
 * Breaks a program at its N-th change to the files of a home. Imported first, it replaces the functions of `node:fs` and
 * `node:fs/promises` for the whole program (`MCPS_FAULTS` holds `Faults` as JSON; without it nothing is replaced).
 *
 * - `kill`: SIGKILL before the change; `half`: SIGKILL in the middle of it (half of a text, half of a removed tree).
 * - an error code: the change fails with it, and nothing else does.
 */
import fs, { type PathLike } from 'node:fs';
import promises, { type FileHandle } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';

export interface Faults {
  /** The home, or a folder in it: only what is below it counts. */
  readonly home: string;
  /** 1 is the first change; 0 breaks none and counts. */
  readonly at: number;
  readonly how: 'kill' | 'half' | 'ENOSPC' | 'EIO' | 'EMFILE';
}

const given = process.env.MCPS_FAULTS;
let count = 0;

/** Changes so far, by which a run is measured. */
export const changes = (): number => count;

if (given !== undefined) replaceAll(JSON.parse(given) as Faults);

function replaceAll({ home, at, how }: Faults): void {
  const { cpSync, rmSync, writeSync, readdirSync } = fs;

  const die = (): never => {
    process.kill(process.pid, 'SIGKILL');
    for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  };

  /** Called before each change; `half` does half of it. */
  const pass = (what: string, path: unknown, half = () => {}): void => {
    if (!String(path).startsWith(home)) return;
    count += 1;
    if (count !== at) return;
    if (how === 'half') half();
    if (how === 'half' || how === 'kill') die();
    const error = new Error(`${how}: injected, ${what} '${path}'`);
    throw Object.assign(error, { code: how, syscall: what, path: String(path) });
  };

  /** What a kill may leave of a tree: no order is promised, and the worst is that what speaks for the tree goes last. */
  const halfOfTree = (path: string) => {
    const files = listFiles(path).sort((a, b) => b.split('/').length - a.split('/').length);
    for (const file of files.slice(0, Math.ceil(files.length / 2))) rmSync(file, { force: true });
  };
  const halfOfCopy = (from: string, to: string) => {
    cpSync(from, to, { recursive: true });
    halfOfTree(to);
  };
  const listFiles = (path: string): string[] => {
    try {
      return readdirSync(path, { recursive: true, withFileTypes: true })
        .filter((entry) => !entry.isDirectory())
        .map((entry) => join(entry.parentPath, entry.name));
    } catch {
      return [];
    }
  };

  const byPath = [
    'mkdir',
    'rmdir',
    'unlink',
    'symlink',
    'chmod',
    'writeFile',
    'appendFile',
    'utimes',
    'truncate',
    'rm',
  ];
  const target = (name: string, args: unknown[]) => (name === 'symlink' ? args[1] : args[0]);
  for (const [module, suffix] of [
    [promises, ''],
    [fs, 'Sync'],
  ] as const) {
    const functions = module as unknown as Record<string, (...args: unknown[]) => unknown>;
    const replace = (name: string, pathOf: (args: unknown[]) => unknown) => {
      const original = functions[name + suffix]!;
      const check = (args: unknown[]) =>
        pass(name, pathOf(args), () => {
          if (name === 'rm') halfOfTree(String(args[0]));
          if (name === 'cp') halfOfCopy(String(args[0]), String(args[1]));
        });
      functions[name + suffix] =
        suffix === 'Sync'
          ? (...args) => {
              check(args);
              return original(...args);
            }
          : async (...args) => {
              check(args);
              return original(...args);
            };
    };
    for (const name of byPath) replace(name, (args) => target(name, args));
    for (const name of ['rename', 'copyFile', 'cp', 'link']) replace(name, (args) => args[1]);
  }

  const openSync = fs.openSync;
  fs.openSync = (path: PathLike, flags, mode) => {
    if (changesFile(flags)) pass('open', path);
    return openSync(path, flags, mode);
  };
  const open = promises.open;
  promises.open = async (path, flags, mode) => {
    if (changesFile(flags)) pass('open', path);
    const handle = await open(path, flags, mode);
    return changesFile(flags) ? watched(handle, String(path)) : handle;
  };

  function watched(handle: FileHandle, path: string): FileHandle {
    const { writeFile, write, sync, close } = handle;
    handle.writeFile = async (data, options) => {
      pass('write', path, () => writeSync(handle.fd, String(data).slice(0, String(data).length / 2)));
      return writeFile.call(handle, data, options);
    };
    handle.write = (async (...args: Parameters<typeof write>) => {
      pass('write', path);
      return write.apply(handle, args);
    }) as typeof write;
    handle.sync = async () => {
      pass('fsync', path);
      return sync.call(handle);
    };
    // The descriptor is gone whatever close says.
    handle.close = async () => {
      await close.call(handle);
      pass('close', path);
    };
    return handle;
  }

  syncBuiltinESMExports();
}

const changesFile = (flags: unknown) => typeof flags === 'string' && /[wa+]/.test(flags);
