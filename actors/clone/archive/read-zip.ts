import type { Readable } from 'node:stream';
import { crc32 } from 'node:zlib';
import type { Entry, ZipFile } from 'yauzl';
import { broken, unsafe } from './archive-failure.ts';
import type { ArchiveEntry, ReadEntries } from './entry.ts';

/** Reads the central directory, which is what an archive says of itself; the library checks it against each entry. */
export const readZip: ReadEntries = async (file, take) => {
  const { default: yauzl } = await import('yauzl');
  const zip = await new Promise<ZipFile>((resolve, reject) =>
    yauzl.open(file, { lazyEntries: true, autoClose: false }, (error, opened) =>
      error === null ? resolve(opened) : reject(broken(error.message)),
    ),
  );
  try {
    await new Promise<void>((resolve, reject) => {
      zip.on('error', (error: Error) => reject(nameProblem(error) ?? broken(error.message)));
      zip.on('end', resolve);
      zip.on('entry', (entry: Entry) => {
        toEntry(zip, entry)
          .then(take)
          .then(() => zip.readEntry(), reject);
      });
      zip.readEntry();
    });
  } finally {
    zip.close();
  }
};

/** The library refuses such names itself. */
function nameProblem(error: Error): Error | null {
  const [, why, path = ''] =
    /^(absolute path|invalid relative path|invalid characters in fileName): (.*)$/s.exec(error.message) ?? [];
  if (why === undefined) return null;
  return unsafe(
    path,
    why === 'absolute path'
      ? 'has an absolute path'
      : why === 'invalid relative path'
        ? 'leaves the archive'
        : 'has a name with a backslash',
  );
}

/** Made by Unix or macOS: the upper half of the attributes are its mode. */
const UNIX = [3, 19];

async function toEntry(zip: ZipFile, entry: Entry): Promise<ArchiveEntry> {
  const attributes = UNIX.includes(entry.versionMadeBy >>> 8) ? entry.externalFileAttributes >>> 16 : 0;
  const kind = entry.fileName.endsWith('/') ? 'folder' : (KINDS.get(attributes & 0o170000) ?? 'other');
  return {
    path: entry.fileName,
    kind,
    mode: attributes === 0 ? null : attributes & 0o777,
    mtime: entry.getLastModDate(),
    target: kind === 'link' ? await readTarget(zip, entry) : '',
    content: () => contentOf(zip, entry),
  };
}

/** By the type bits of a Unix mode; an archive without modes has files and folders only. */
const KINDS = new Map<number, ArchiveEntry['kind']>([
  [0, 'file'],
  [0o100000, 'file'],
  [0o040000, 'folder'],
  [0o120000, 'link'],
]);

/** A link's target is its content. */
async function readTarget(zip: ZipFile, entry: Entry): Promise<string> {
  if (entry.uncompressedSize > MOST_TARGET) throw unsafe(entry.fileName, 'is a link with a target that is too long');
  const chunks: Uint8Array[] = [];
  for await (const chunk of contentOf(zip, entry)) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

const MOST_TARGET = 4096;

/** Sizes are checked by the library, the checksum here. */
async function* contentOf(zip: ZipFile, entry: Entry): AsyncGenerator<Uint8Array> {
  if (entry.isEncrypted()) throw broken('it is encrypted');
  const stream = await new Promise<Readable>((resolve, reject) =>
    zip.openReadStream(entry, (error, opened) => (error === null ? resolve(opened) : reject(broken(error.message)))),
  );
  let checksum = 0;
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      checksum = crc32(chunk, checksum);
      yield chunk;
    }
  } catch (error) {
    throw error instanceof Error && !('failure' in error) ? broken(error.message) : error;
  }
  if (checksum !== entry.crc32) throw broken(`the checksum of ${entry.fileName} is wrong`);
}
