/** A packed folder as a source: fetched, checked, unpacked into the home. */

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, stat } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import type { Credential, SourceOf } from '../../launchers/plan.ts';
import type { Checkout } from '../../machines/contracts.ts';
import { createFailure } from '../../machines/failure.ts';
import type { ActorContext } from '../context.ts';
import { FailureError } from '../failure-error.ts';
import { withTemp } from '../with-temp.ts';
import { moveIntoPlace } from './place.ts';
import { requireSubdir } from './subdir.ts';

interface ArchiveRequest {
  readonly source: SourceOf<'archive'>;
  readonly credential: Credential | undefined;
}

/** Whether the archive is a file of this machine, which may change at any time. */
export const isLocal = ({ location }: SourceOf<'archive'>): boolean => isAbsolute(location);

/** What a local archive is now, without reading it; CLONE_NOT_FOUND when it is no file. */
export async function archiveFingerprint({ location }: SourceOf<'archive'>): Promise<string> {
  const found = await stat(location).catch(() => null);
  if (found?.isFile()) {
    return createHash('sha256').update(`${found.size}\0${found.mtimeMs}`).digest('hex').slice(0, 40);
  }
  const isFolder = found?.isDirectory() === true;
  throw new FailureError(
    createFailure('CLONE_NOT_FOUND', {
      message: `${location} ${isFolder ? 'is a folder, though it is named like an archive' : 'does not exist'}.`,
      hint: isFolder ? 'Rename the folder; a file of that ending is unpacked.' : 'Check the path for a typing error.',
      data: { path: location },
    }),
  );
}

/**
 * The unpacked tree. Its commit is the file's SHA-256, for a local file a hash of its size and time; its date is that of
 * the newest file in it. The checksum is compared before anything is unpacked.
 */
export async function unpackArchive(
  context: ActorContext,
  { source, credential }: ArchiveRequest,
  signal: AbortSignal,
): Promise<Checkout> {
  const { store, limits } = context;
  return withTemp(store, 'unpack', async (temp) => {
    let file = source.location;
    let sha256: string | null = null;
    if (!isLocal(source)) {
      const { download } = await import('./archive/download.ts');
      file = join(temp, 'archive');
      sha256 = await download(context, { source, credential, file }, signal);
    }
    const commit = sha256 ?? (await archiveFingerprint(source));
    if (source.sha256 !== null) requireChecksum(source, sha256 ?? (await checksumOf(file, signal)));
    const tree = join(temp, 'tree');
    await mkdir(tree);
    const { unpack } = await import('./archive/unpack.ts');
    const { newest } = await unpack({ file, tree, strip: !isBundle(source), limits, signal });
    await requireSubdir(tree, source);
    const dir = store.checkoutDir(source, commit);
    await moveIntoPlace(tree, dir);
    return { dir, commit, committedAt: newest?.toISOString() ?? null };
  });
}

/** A bundle is what it is; around everything else hosts and packers put a folder. */
const isBundle = ({ location }: SourceOf<'archive'>): boolean => /\.(mcpb|dxt)$/i.test(location.replace(/[?].*$/, ''));

function requireChecksum({ location, sha256 }: SourceOf<'archive'>, found: string): void {
  if (found === sha256) return;
  throw new FailureError(
    createFailure('CLONE_CHECKSUM', {
      message: `${location} has the SHA-256 ${found}, not ${sha256}.`,
      data: { location, expected: sha256, found },
    }),
  );
}

async function checksumOf(file: string, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file, { signal })) hash.update(chunk as Buffer);
  return hash.digest('hex');
}
