/** Brings a source into the home: `checkouts/<source>/<commit>`, whole or not at all, once for all who want it. */

import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { SourceOf } from '../launchers/plan.ts';
import type { Checkout, CloneActor, CloneInput } from '../machines/contracts.ts';
import { type FetchRequest, type GitClient, isCommitId } from './clone/fetched.ts';
import { copyFolder } from './clone/folder.ts';
import { checkoutFromDisk, isRemote } from './clone/from-disk.ts';
import { createGitProgram, GitMissing } from './clone/git-program.ts';
import { createIsomorphicGit } from './clone/isomorphic.ts';
import { moveIntoPlace, removeCheckout } from './clone/place.ts';
import { isFolder, requireSubdir } from './clone/subdir.ts';
import type { ActorContext } from './context.ts';
import { createJob } from './job.ts';
import { withHomeErrors } from './store/home-error.ts';
import { sourceHash, sourceKey } from './store/keys.ts';
import { withTemp } from './with-temp.ts';

export const createCloneActor = (context: ActorContext): CloneActor =>
  createJob<CloneInput, Checkout>('clone', (input, signal) => withHomeErrors(() => clone(context, input, signal)));

/**
 * Single-flight per source over all processes on the home: whoever waited finds the work done. Fails with a CLONE_ code;
 * aborted or failed, it leaves no temp folder and no part of a checkout.
 */
export async function clone(context: ActorContext, input: CloneInput, signal: AbortSignal): Promise<Checkout> {
  const { store } = context;
  const { plugin, spec } = input;
  const { source } = spec;
  const key = sourceKey(source);
  return store.withLock(`checkout:${sourceHash(source)}`, signal, async () => {
    const facts = await store.readFacts(plugin);
    const before = facts.sourceKey === key ? facts.checkout : undefined;
    const known = before !== undefined && (await isFolder(before.dir)) ? before : null;
    const stays = context.offline === true && isRemote(source);
    const checkout = stays
      ? await checkoutFromDisk(context, source, known)
      : await bring(context, input, known, signal);
    await requireSubdir(checkout.dir, source);
    await store.writeFacts(plugin, { sourceKey: key, checkout });
    return checkout;
  });
}

/** The way of each kind of source; what is pinned or can't change by itself is taken as it is `known`. */
async function bring(
  context: ActorContext,
  { plugin, spec: { source, credential } }: CloneInput,
  known: Checkout | null,
  signal: AbortSignal,
): Promise<Checkout> {
  switch (source.kind) {
    case 'git':
      return known ?? cloneRepository(context, { plugin, source, credential }, signal);
    case 'folder':
      return copyFolder(context, source, signal, plugin);
    case 'archive': {
      const { archiveFingerprint, isLocal, unpackArchive } = await import('./clone/archive.ts');
      const fresh = known !== null && (!isLocal(source) || known.commit === (await archiveFingerprint(source)));
      return fresh ? known : unpackArchive(context, { source, credential }, signal);
    }
    case 'package': {
      if (known !== null) return known;
      const { resolvePackage } = await import('./clone/package.ts');
      return resolvePackage(context, { plugin, source }, signal);
    }
    case 'command':
    case 'remote': {
      // Nothing is fetched and nothing copied: what stands for it is an empty folder.
      const dir = context.store.checkoutDir(source, source.kind);
      await mkdir(dir, { recursive: true });
      return { dir, commit: source.kind, committedAt: null };
    }
  }
}

async function cloneRepository(
  context: ActorContext,
  request: Omit<FetchRequest, 'tree'> & { source: SourceOf<'git'> },
  signal: AbortSignal,
): Promise<Checkout> {
  try {
    return await cloneWith(createGitProgram(context), context, request, signal);
  } catch (error) {
    if (!(error instanceof GitMissing)) throw error;
    context.log.debug({ plugin: request.plugin }, 'git is not installed, using isomorphic-git');
    return cloneWith(createIsomorphicGit(context), context, request, signal);
  }
}

async function cloneWith(
  git: GitClient,
  { store }: ActorContext,
  request: Omit<FetchRequest, 'tree'>,
  signal: AbortSignal,
): Promise<Checkout> {
  const { source } = request;
  const expected = await expectedCommit(git, dirname(store.checkoutDir(source, 'x')), request, signal);
  const there = expected && (await readCheckout(store.checkoutDir(source, expected)));
  if (there) return there;
  return withTemp(store, 'clone', async (temp) => {
    const tree = join(temp, 'tree');
    await mkdir(tree);
    const fetched = await git.fetch({ ...request, tree }, signal);
    // Before it is kept: what was asked for is not in it.
    await requireSubdir(tree, source);
    await writeFile(join(tree, NOTE), JSON.stringify(fetched));
    const dir = store.checkoutDir(source, fetched.commit);
    // What stands there without its note is none that anybody could use.
    if ((await readCheckout(dir)) === null) await removeCheckout(store, dir);
    await moveIntoPlace(tree, dir);
    return { dir, ...fetched };
  });
}

/** Asks the remote only where its answer may save a download: something of this source is there already. */
async function expectedCommit(
  git: GitClient,
  folder: string,
  request: Omit<FetchRequest, 'tree'>,
  signal: AbortSignal,
): Promise<string | null> {
  const { ref } = request.source;
  if (isCommitId(ref)) return ref;
  const others = await readdir(folder).catch(() => []);
  return others.length === 0 ? null : git.resolve(request, signal);
}

/** In the checkout, so that both come and go in one rename; below `.git`, so that no one takes it for the plugin's. */
const NOTE = join('.git', 'mcp-supervisor.json');

/** Null for none, and for one whose note can't be read. */
async function readCheckout(dir: string): Promise<Checkout | null> {
  try {
    const { commit, committedAt } = JSON.parse(await readFile(join(dir, NOTE), 'utf8')) as Checkout;
    return { dir, commit, committedAt };
  } catch {
    return null;
  }
}
