/** Git in JavaScript, for http(s) where there is no git program: 1.4–1.9x its time, ten times its memory. */

import fs from 'node:fs';
import { join } from 'node:path';
import type { AuthCallback, HttpClient } from 'isomorphic-git';
import type { Credential } from '../../launchers/plan.ts';
import { createFailure } from '../../machines/failure.ts';
import type { ActorContext } from '../context.ts';
import { FailureError } from '../failure-error.ts';
import { type FetchRequest, type GitClient, mayBeCommitId, resolveIn } from './fetched.ts';
import { cloneFailure } from './git-failure.ts';
import { createGitHttp } from './git-http.ts';
import { createMask } from './mask.ts';

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
          await git.clone({ ...all, depth: 1, singleBranch: true, noTags: source.ref === null });
        } catch (error) {
          if (signal.aborted || !mayBeCommitId(source.ref) || isRefused(error)) throw error;
          await git.clone({ ...remote, fs, dir, cache, noCheckout: true });
          await git.checkout({
            fs,
            dir,
            cache,
            ref: await git.expandOid({ fs, dir, cache, oid: source.ref! }),
            force: true,
          });
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

async function open(context: ActorContext, { source, credential }: Request, signal: AbortSignal) {
  if (!/^https?:/.test(source.url)) {
    throw new FailureError(
      createFailure('CLONE_NO_GIT', { message: `${source.url} needs the git program, which is not installed.` }),
    );
  }
  const git = await import('isomorphic-git');
  const http: HttpClient = await createGitHttp(context.callerEnv, signal);
  return { git, remote: { http, url: source.url, ...login(credential) } };
}

const login = (credential: Credential | undefined): { onAuth?: AuthCallback } =>
  credential === undefined ? {} : { onAuth: () => ({ username: credential.username, password: credential.reveal() }) };

/** The host answered, so looking for the same commit in another way is of no use. */
const isRefused = (error: unknown) => ['HttpError', 'SmartHttpError'].includes(codeOf(error)) || isNetwork(error);

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
  if (status === 429 || (status !== undefined && status >= 500)) return 'CLONE_NETWORK';
  const code = codeOf(error);
  if (code === 'ENOSPC' || code === 'EDQUOT') return 'HOME_DISK_FULL';
  if (code === 'ENOTFOUND') return 'CLONE_UNKNOWN_HOST';
  if (isNetwork(error)) return 'CLONE_NETWORK';
  if (['SmartHttpError', 'ParseError', 'EmptyServerResponseError'].includes(code)) return 'CLONE_NOT_GIT';
  if (['NotFoundError', 'ShortOidNotFound', 'AmbiguousError', 'GitServerError'].includes(code))
    return 'CLONE_REF_NOT_FOUND';
  return 'CLONE_FAILED';
}
