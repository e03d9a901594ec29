/** One entry of an archive, whatever its format. */
export interface ArchiveEntry {
  /** As it stands in the archive: anybody's text. */
  readonly path: string;
  readonly kind: 'file' | 'folder' | 'link' | 'hardlink' | 'other';
  /** Unix permission bits; null where the archive has none. */
  readonly mode: number | null;
  readonly mtime: Date | null;
  /** Target of a link or hard link. */
  readonly target: string;
  /** Bytes of a file; read at most once. */
  content(): AsyncIterable<Uint8Array>;
}

/** Hands entries over one at a time and waits for each; rejects when the archive is broken. */
export type ReadEntries = (
  file: string,
  take: (entry: ArchiveEntry) => Promise<void>,
  signal: AbortSignal,
) => Promise<void>;
