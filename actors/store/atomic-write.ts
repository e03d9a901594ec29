import { randomBytes } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';

/**
 * Writes a whole file or nothing: temp, fsync, rename. Readers see the old text or the new one, also after a crash: the
 * text is on the disk before its name is. The folder is not synced: what a power cut takes back with the name is found
 * out anew (facts, markers), or is dead itself (the ledger's processes). `temp` is on the same file system; by default
 * beside it, for folders that are removed as a whole. 0.3 ms on an SSD.
 */
export async function atomicWrite(
  path: string,
  text: string,
  temp = `${path}.${process.pid}-${randomBytes(4).toString('hex')}.tmp`,
): Promise<void> {
  try {
    const file = await open(temp, 'wx', 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temp, path);
  } catch (error) {
    await rm(temp, { force: true }).catch(() => undefined);
    throw error;
  }
}
