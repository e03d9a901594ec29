/** Git in JavaScript, for http(s) where there is no git program: 1.4–1.9x its time, ten times its memory. */

import fs from 'node:fs';
import { join } from 'node:path';
import type { AuthCallback, HttpClient } from 'isomorphic-git';
import type { Credential } from '../../launchers/plan.ts';
import { createFailure } from '../../machines/failure.ts';
import type { ActorContext } from '../context.ts';
import { FailureError } from '../failure-error.ts';
import { type FetchRequest, type GitClient, mayBeCommitId, resolveIn } from './fetched.ts';
import { cloneFailure, tooLarge } from './git-failure.ts';
import { createGitHttp } from './git-http.ts';
import { createMask } from './mask.ts';
import { netrcLogin } from './netrc.ts';

export function createIsomorphicGit(context: ActorContext): GitClient {
  return {
    resolve: (request, signal) =>
      withFailures(request, signal, async () => {
        const { git, remote } = await open(context, request, signal);
        const refs = await git.listServerRefs({ ...remote, symrefs: true, peelTags: true });
        const names = refs.flatMap(({ ref, oid, peeled }): [string, string][] =>
          peeled === undefined ? [[ref, oid]] : [[ref, peeled]],
        );
        return resolveIn(new Map(names), request.source.ref);
      }),
    fetch: (request, signal) =>
      withFailures(request, signal, async () => {
        const { git, remote } = await open(context, request, signal);
        const { source, tree: dir, plugin } = request;
        const cache = {};
        const all = { ...remote, fs, dir, cache, ...(source.ref === null ? {} : { ref: source.ref }) };
        try {
          await git.clone({ ...all, depth: 1, singleBranch: true, noTags: source.ref === null, noCheckout: true });
          await refuseTooLarge(git, { fs, dir, cache }, source, context);
          // Of the HEAD that the clone has set.
          await git.checkout({ fs, dir, cache, force: true });
        } catch (error) {
          if (signal.aborted || !mayBeCommitId(source.ref) || isRefused(error)) throw error;
          await git.clone({ ...remote, fs, dir, cache, noCheckout: true });
          const oid = await git.expandOid({ fs, dir, cache, oid: source.ref! });
          await refuseTooLarge(git, { fs, dir, cache }, source, context, oid);
          await git.checkout({ fs, dir, cache, ref: oid, force: true });
        }
        signal.throwIfAborted();
        const commit = await git.resolveRef({ fs, dir, ref: 'HEAD' });
        const { commit: details } = await git.readCommit({ fs, dir, cache, oid: commit });
        if (fs.existsSync(join(dir, '.gitmodules'))) {
          const text = 'Submodules are empty: fetching them needs the git program.';
          context.log.warn({ plugin }, text);
          context.output({ plugin, stream: 'clone', text });
        }
        return { commit, committedAt: new Date(details.committer.timestamp * 1000).toISOString() };
      }),
  };
}

type Request = Omit<FetchRequest, 'tree'>;

/** Counted before anything is written, folders too: trees that hold each other can stand for millions of both. */
async function refuseTooLarge(
  git: typeof import('isomorphic-git'),
  repository: { readonly fs: typeof fs; readonly dir: string; readonly cache: object },
  source: Request['source'],
  { limits }: ActorContext,
  commit?: string,
): Promise<void> {
  const oid = commit ?? (await git.resolveRef({ ...repository, ref: 'HEAD' }));
  const folders = [(await git.readCommit({ ...repository, oid })).commit.tree];
  let entries = 0;
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    const { tree } = await git.readTree({ ...repository, oid: folder });
    entries += tree.length;
    if (entries > limits.maxFiles) throw tooLarge(source, limits, true);
    folders.push(...tree.filter(({ type }) => type === 'tree').map((entry) => entry.oid));
  }
}

async function open(context: ActorContext, { source, credential }: Request, signal: AbortSignal) {
  if (!/^https?:/.test(source.url)) {
    throw new FailureError(
      createFailure('CLONE_NO_GIT', { message: `${source.url} needs the git program, which is not installed.` }),
    );
  }
  const git = await import('isomorphic-git');
  const http: HttpClient = await createGitHttp(context.callerEnv, signal, (bytes) => {
    if (bytes > context.limits.maxSource) throw tooLarge(source, context.limits, false);
  });
  return { git, remote: { http, url: source.url, ...login(credential, context.callerEnv) } };
}

/** Asked only once the host wants a login: the source's own, else the user's. */
const login = (credential: Credential | undefined, callerEnv: ActorContext['callerEnv']): { onAuth: AuthCallback } => ({
  onAuth: async (url) =>
    credential === undefined
      ? ((await netrcLogin(callerEnv, new URL(url).hostname)) ?? undefined)
      : { username: credential.username, password: credential.reveal() },
});

/** The host answered, so looking for the same commit in another way is of no use. */
const isRefused = (error: unknown) =>
  error instanceof FailureError || ['HttpError', 'SmartHttpError'].includes(codeOf(error)) || isNetwork(error);

const codeOf = (error: unknown): string => String((error as { code?: unknown }).code ?? '');

const isNetwork = (error: unknown) =>
  /^(ENOTFOUND|EAI_|ECONN|ETIMEDOUT|EPIPE|EHOST|ENET|UND_ERR_|ERR_TLS|ERR_SSL|CERT_)/.test(codeOf(error)) ||
  ['UnexpectedEndOfStream', 'PackfileError'].includes(codeOf(error));

async function withFailures<T>(
  { source, credential }: Request,
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof FailureError) throw error;
    const said = createMask(credential)(error instanceof Error ? error.message : String(error));
    throw new FailureError(cloneFailure(failureCode(error), source, said), { cause: error });
  }
}

function failureCode(error: unknown) {
  const status = (error as { data?: { statusCode?: number } }).data?.statusCode;
  if (status === 401 || status === 403) return 'CLONE_AUTH';
  if (status === 404 || status === 410) return 'CLONE_NOT_FOUND';
  if (status === 407 || status === 429 || (status !== undefined && status >= 500)) return 'CLONE_NETWORK';
  const code = codeOf(error);
  if (code === 'ENOSPC' || code === 'EDQUOT') return 'HOME_DISK_FULL';
  if (code === 'ENOTFOUND') return 'CLONE_UNKNOWN_HOST';
  if (isNetwork(error)) return 'CLONE_NETWORK';
  if (code === 'UnsafeFilepathError') return 'CLONE_UNSAFE_TREE';
  if (['SmartHttpError', 'ParseError', 'EmptyServerResponseError'].includes(code)) return 'CLONE_NOT_GIT';
  if (['NotFoundError', 'ShortOidNotFound', 'AmbiguousError', 'GitServerError'].includes(code))
    return 'CLONE_REF_NOT_FOUND';
  return 'CLONE_FAILED';
}
