/** What git's words mean. The words are those of LC_ALL=C, collected from git 2.39 and the big hosts. */

import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Source } from '../../launchers/plan.ts';
import { createFailure, type Failure, type FailureCode } from '../../machines/failure.ts';
import type { Limits } from '../context.ts';
import { FailureError } from '../failure-error.ts';
import type { StepResult } from '../step.ts';
import { networkHint } from './network-hint.ts';

type GitSource = Extract<Source, { kind: 'git' }>;

/** First match wins: a refused login is also "unable to access", a missing ref may also be "hung up". */
const WORDS: readonly (readonly [FailureCode, RegExp])[] = [
  ['HOME_DISK_FULL', /No space left on device|Disk quota exceeded/],
  ['CLONE_UNSAFE_TREE', /^error: invalid path '|malformed tree|ignoring suspicious submodule|disallowed submodule/m],
  [
    'CLONE_AUTH',
    /could not read (Username|Password)|Authentication failed|error: 40[13]\b|Permission denied \(|Host key verification failed|Too many authentication failures|HTTP Basic: Access denied/,
  ],
  [
    'CLONE_REF_NOT_FOUND',
    /couldn't find remote ref|not our ref|did not match any|reference is not a tree|unknown revision|ambiguous argument|invalid refspec/,
  ],
  [
    'CLONE_NOT_GIT',
    /is this a git repository\?|invalid server response|protocol error: (unexpected|bad line|expected)|bad line length/,
  ],
  [
    'CLONE_NOT_FOUND',
    /repository '.*' not found|Repository not found|does not appear to be a git repository|error: 404\b/,
  ],
  ['CLONE_UNKNOWN_HOST', /Could not resolve host/],
  [
    'CLONE_NETWORK',
    /Could not resolve proxy|CONNECT tunnel failed|from proxy after CONNECT|error: 407\b|Failed to connect|Couldn't connect|Connection (refused|reset|timed out|closed)|timed out|No route to host|Network is unreachable|early EOF|hung up unexpectedly|RPC failed|unexpected disconnect|Empty reply from server|error: 5\d\d\b|error: 429\b|GnuTLS recv|SSL_ERROR_SYSCALL|transfer closed|Could not read from remote repository/,
  ],
];

export function gitFailure(result: StepResult, source: GitSource, mask: (text: string) => string): Failure {
  const [code, words] = meaningOf(result.stderr, source);
  const tail = result.tail.map(mask);
  const said = tail.find((line) => words.test(line)) ?? tail.findLast((line) => /^(fatal|error): /.test(line));
  return cloneFailure(code, source, said ?? tail.at(-1), { exit: result.exit, stderrTail: tail });
}

function meaningOf(stderr: string, { url }: GitSource): readonly [FailureCode, RegExp] {
  const [code, words] = WORDS.find(([, each]) => each.test(stderr)) ?? ['CLONE_FAILED', /^fatal: /];
  // git says the same of a missing folder and of one that is no repository.
  const isThere = code === 'CLONE_NOT_FOUND' && url.startsWith('file:') && existsSync(fileURLToPath(url));
  return [isThere ? 'CLONE_NOT_GIT' : code, words];
}

/** The same words for the user, whichever git found it out. */
export function cloneFailure(
  code: FailureCode,
  source: GitSource,
  said: string | undefined,
  details: { exit?: StepResult['exit']; stderrTail?: readonly string[] } = {},
): Failure {
  const pin = source.ref ?? 'HEAD';
  const what: Partial<Record<FailureCode, string>> = {
    CLONE_NOT_FOUND: `There is no repository at ${source.url}.`,
    CLONE_AUTH: `${source.url} is private or does not exist: the host wants a login.`,
    CLONE_REF_NOT_FOUND:
      source.ref === null ? `${source.url} has no commit yet.` : `${source.url} has no branch, tag or commit '${pin}'.`,
    CLONE_UNSAFE_TREE: `${source.url} holds what git refuses to write.`,
    CLONE_NOT_GIT: `What answers at ${source.url} is not a git repository.`,
    CLONE_UNKNOWN_HOST: `The host of ${source.url} is not known.`,
    CLONE_NETWORK: `${source.url} could not be reached, or the transfer broke.`,
  };
  const message = what[code] ?? `Cloning ${source.url} failed.`;
  return createFailure(code, {
    message: said === undefined ? message : `${message} (${said.trim()})`,
    hint: hintFor(code, source, said),
    data: { url: source.url, ref: source.ref },
    ...details,
  });
}

/** CLONE_TOO_LARGE: by the number of files, or by their bytes. */
export const tooLarge = (
  { url }: GitSource,
  { maxFiles, maxSource }: Pick<Limits, 'maxFiles' | 'maxSource'>,
  byFiles: boolean,
): FailureError =>
  new FailureError(
    createFailure('CLONE_TOO_LARGE', {
      message: `${url} holds more than ${byFiles ? `${maxFiles} files` : `${maxSource} bytes`}.`,
      data: { url, maxFiles, maxSource },
    }),
  );

function hintFor(code: FailureCode, { url, ref, subdir }: GitSource, said = ''): string | undefined {
  if (code === 'CLONE_REF_NOT_FOUND' && ref === null) {
    return 'Push a first commit, or check the address; what is committed elsewhere than on its default branch needs --ref.';
  }
  if (code === 'CLONE_REF_NOT_FOUND') {
    const list = `\`git ls-remote ${url}\` lists branches and tags.`;
    // Of a pasted page only the first part was taken for the branch.
    const [next] = subdir.split('/');
    if (next !== '') return `If the branch is ${ref}/${next}, write ${url}#${ref}/${next}:folder; ${list}`;
    const isWord = /^https?:/.test(url) && /^[a-z][\w-]*$/i.test(ref ?? '');
    return isWord ? `Leave #${ref} out if it was the anchor of a page; ${list}` : `Check the ref; ${list}`;
  }
  if (/Host key verification failed/.test(said)) return 'Connect once with ssh to accept the key of the host.';
  return networkHint(said);
}
