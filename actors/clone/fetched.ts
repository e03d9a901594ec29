import type { Credential, Source } from '../../launchers/plan.ts';

/** What both gits are asked for. */
export interface FetchRequest {
  readonly plugin: string;
  readonly source: Extract<Source, { kind: 'git' }>;
  readonly credential: Credential | undefined;
  /** Empty folder that becomes the tree, with its `.git`: builds ask it for versions. */
  readonly tree: string;
}

/** The commit that `tree` now holds. */
export interface Fetched {
  readonly commit: string;
  /** ISO date of the commit. */
  readonly committedAt: string;
}

/** One way to get a commit; both reject with a FailureError, and with the signal's reason when aborted. */
export interface GitClient {
  /** Commit that the source's ref names on the remote now; null when the remote's list doesn't tell. */
  resolve(request: Omit<FetchRequest, 'tree'>, signal: AbortSignal): Promise<string | null>;
  fetch(request: FetchRequest, signal: AbortSignal): Promise<Fetched>;
}

export const isCommitId = (ref: string | null): ref is string =>
  ref !== null && /^([0-9a-f]{40}|[0-9a-f]{64})$/.test(ref);

/** Full or short: a remote need not know it by that name. */
export const mayBeCommitId = (ref: string | null): boolean => ref !== null && /^[0-9a-f]{4,40}$/.test(ref);

/** The commit that `ref` means in a remote's list, in git's own order: tag (peeled), then branch. */
export function resolveIn(refs: ReadonlyMap<string, string>, ref: string | null): string | null {
  if (ref === null) return refs.get('HEAD') ?? null;
  const names = [ref, `refs/${ref}`, `refs/tags/${ref}`, `refs/heads/${ref}`];
  const name = names.find((each) => refs.has(each));
  return name === undefined ? null : (refs.get(`${name}^{}`) ?? refs.get(name) ?? null);
}
