import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { FOREIGN_LIFE } from './ledger.ts';
import type { Owner } from './owner.ts';

/** `tmp/<prefix>-<random>-<owner>`: on the home's own file system, so that a rename puts it in its place. */
export async function makeTemp(folder: string, prefix: string, owner: Owner): Promise<string> {
  await mkdir(folder, { recursive: true });
  const path = tempPath(folder, prefix, owner);
  await mkdir(path, { mode: 0o700 });
  return path;
}

/** A fresh name there, for a file or a folder; swept with the owner. */
export function tempPath(folder: string, prefix: string, owner: Owner): string {
  const name = prefix.replace(/[^A-Za-z0-9]+/g, '-').slice(0, 40);
  return join(folder, `${name}-${randomBytes(4).toString('hex')}-${owner.name}`);
}

/** Removes what dead owners left. */
export async function sweepTemp(folder: string, owner: Owner, now: number): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    const path = join(folder, name);
    const verdict = owner.judge(name);
    const forgotten = async () => now - (await stat(path)).mtimeMs > FOREIGN_LIFE;
    try {
      if (verdict === 'dead' || ((verdict === 'foreign' || verdict === null) && (await forgotten()))) {
        await rm(path, { recursive: true, force: true, maxRetries: 3 });
      }
    } catch {
      // Another process sweeps as well.
    }
  }
}
