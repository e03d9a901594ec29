import { open, stat } from 'node:fs/promises';
import type { Limits } from '../../context.ts';
import { broken } from './archive-failure.ts';
import type { ReadEntries } from './entry.ts';
import { readTar } from './read-tar.ts';
import { readZip } from './read-zip.ts';
import { createTreeWriter, type Unpacked } from './tree-writer.ts';

export interface UnpackOptions {
  /** The archive. */
  readonly file: string;
  /** Absolute path of an empty folder, which gets its content. */
  readonly tree: string;
  /** Takes a single folder that holds everything for the tree itself. */
  readonly strip: boolean;
  readonly limits: Pick<Limits, 'maxFiles' | 'maxSource'>;
  readonly signal: AbortSignal;
}

/**
 * Unpacks a zip or tar, told by its first bytes. Fails with CLONE_BAD_ARCHIVE, CLONE_UNSAFE_ARCHIVE or CLONE_TOO_LARGE,
 * and may then leave a part in `tree`; nothing is ever written outside of it.
 */
export async function unpack({ file, tree, strip, limits, signal }: UnpackOptions): Promise<Unpacked> {
  const read = await readerOf(file);
  const { size } = await stat(file);
  const writer = createTreeWriter({ tree, packed: size, limits, signal });
  await read(file, writer.take, signal);
  signal.throwIfAborted();
  return writer.finish(strip);
}

async function readerOf(path: string): Promise<ReadEntries> {
  const file = await open(path);
  const start = Buffer.alloc(512);
  const { bytesRead } = await file.read(start, 0, 512, 0).finally(() => file.close());
  if (start.toString('latin1', 0, 2) === 'PK') return readZip;
  const isGzip = start[0] === 0x1f && start[1] === 0x8b;
  if (isGzip || start.toString('latin1', 257, 262) === 'ustar') return readTar;
  const isPage = /^\s*<(!doctype|html|\?xml)/i.test(start.toString('latin1', 0, bytesRead));
  throw broken(bytesRead === 0 ? 'it is empty' : isPage ? 'it is a web page' : 'it is neither a zip nor a tar');
}
