import { createReadStream } from 'node:fs';
import type { ReadEntry } from 'tar';
import { FailureError } from '../../failure-error.ts';
import { broken } from './archive-failure.ts';
import type { ArchiveEntry, ReadEntries } from './entry.ts';

/** Plain or gzipped; the library tells by the first bytes. */
export const readTar: ReadEntries = async (file, take, signal) => {
  const { Parser } = await import('tar');
  const source = createReadStream(file);
  try {
    await new Promise<void>((resolve, reject) => {
      const fail = (error: unknown) =>
        reject(error instanceof FailureError || signal.aborted ? error : brokenBy(error));
      let taken: Promise<unknown> = Promise.resolve();
      const parser = new Parser({
        // A header that is wrong ends it, rather than being skipped.
        strict: true,
        onReadEntry: (entry: ReadEntry) => {
          // The parser waits for each entry to be read to its end.
          const taking = take(toEntry(entry)).then(() => entry.resume());
          taking.catch(fail);
          taken = taken.then(() => taking);
          taken.catch(() => {});
        },
      });
      // The writer counts what comes out, and says what is too much.
      parser.maxDecompressionRatio = Number.POSITIVE_INFINITY;
      parser.on('error', fail);
      parser.on('end', () => taken.then(() => resolve(), fail));
      source.on('error', reject);
      source.pipe(parser as unknown as NodeJS.WritableStream);
    });
  } finally {
    source.destroy();
  }
};

const brokenBy = (error: unknown) => broken(error instanceof Error ? error.message : String(error));

const KINDS: Readonly<Record<string, ArchiveEntry['kind']>> = {
  File: 'file',
  OldFile: 'file',
  ContiguousFile: 'file',
  Directory: 'folder',
  GNUDumpDir: 'folder',
  SymbolicLink: 'link',
  Link: 'hardlink',
};

const toEntry = (entry: ReadEntry): ArchiveEntry => ({
  path: entry.path,
  kind: KINDS[entry.type] ?? 'other',
  mode: entry.mode ?? null,
  mtime: entry.mtime ?? null,
  target: entry.linkpath ?? '',
  content: () => entry,
});
