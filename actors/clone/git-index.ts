import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

const HEADER = 12;
/** Times, ids, mode, owner, size (40 bytes) and a SHA-1 (20); the flags follow. */
const FIXED = 60;

/**
 * Paths that a repository tracks, read from its index (versions 2 to 4) without starting git; [] where there is none, or
 * none that we can read. Tracked files count even where a rule ignores them: `lib/` is in many a Python template.
 */
export async function trackedFiles(gitDir: string): Promise<string[]> {
  const index = await readFile(join(gitDir, 'index')).catch(() => null);
  if (index === null || index.length < HEADER || index.toString('latin1', 0, 4) !== 'DIRC') return [];
  try {
    return parseIndex(index);
  } catch {
    return [];
  }
}

function parseIndex(index: Buffer): string[] {
  const version = index.readUInt32BE(4);
  const paths: string[] = [];
  let at = HEADER;
  let path = '';
  for (let left = index.readUInt32BE(8); left > 0; left -= 1) {
    const start = at;
    const isExtended = version >= 3 && (index.readUInt16BE(start + FIXED) & 0x4000) !== 0;
    at = start + FIXED + (isExtended ? 4 : 2);
    let kept = '';
    if (version === 4) {
      // Cut that many bytes off the last path, then append.
      let cut = index[at]! & 0x7f;
      while ((index[at++]! & 0x80) !== 0) cut = ((cut + 1) << 7) | (index[at]! & 0x7f);
      kept = Buffer.from(path)
        .subarray(0, Buffer.byteLength(path) - cut)
        .toString();
    }
    const end = index.indexOf(0, at);
    if (end === -1) throw new RangeError('the index ends in a path');
    path = kept + index.toString('utf8', at, end);
    paths.push(path);
    // Up to version 3 an entry is filled up with 1 to 8 NULs to a multiple of 8.
    at = version === 4 ? end + 1 : start + ((end - start + 8) & ~7);
  }
  return paths;
}
