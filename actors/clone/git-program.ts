/** The git program: the faster one, and the only one with ssh, file, the user's logins and proxies, submodules and LFS. */

import { appendFile, lstat, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ActorContext } from '../context.ts';
import { gitTrustEnv } from '../env/certificates.ts';
import { FailureError } from '../failure-error.ts';
import { runStep, type StepResult } from '../step.ts';
import { type FetchRequest, type GitClient, mayBeCommitId, resolveIn } from './fetched.ts';
import { submodulesIn } from './gaps.ts';
import { GIT_SETTINGS, gitEnv, isSsh, QUIET_SSH } from './git-env.ts';
import { cloneFailure, gitFailure, tooLarge } from './git-failure.ts';
import { createGitHttp } from './git-http.ts';
import { createMask } from './mask.ts';

/** The git program is not there, or is Apple's placeholder for it. */
export class GitMissing extends Error {}

export function createGitProgram(context: ActorContext): GitClient {
  return {
    async resolve(request, signal) {
      const git = await openGit(context, request, join(context.store.home, 'tmp'), signal);
      const { url, ref } = request.source;
      const patterns = ref === null ? ['HEAD'] : [ref, `${ref}^{}`];
      const list = await git.read('ls-remote', '--quiet', '--', url, ...patterns);
      return resolveIn(new Map(list.split('\n').map((line) => line.split('\t').reverse() as [string, string])), ref);
    },
    async fetch(request, signal) {
      const git = await openGit(context, request, request.tree, signal);
      await git.must('init', '--quiet', '--template=');
      const wanted = await boundedBy(context, request, git, (bounded) => fetchCommit(bounded, request)).catch(
        async (error: unknown) => {
          if (isUnknownRef(error) && (await isPage(context, request.source.url, signal))) {
            throw new FailureError(cloneFailure('CLONE_NOT_GIT', request.source, undefined));
          }
          throw error;
        },
      );
      await refuseTooLarge(git, context, request, wanted);
      await keepRemote(request);
      await checkOut(git, context, request, wanted);
      await updateSubmodules(git, context, request);
      const [commit = '', committedAt = ''] = (await git.read('log', '-1', '--format=%H %cI')).trim().split(' ');
      return { commit, committedAt };
    },
  };
}

type Request = Omit<FetchRequest, 'tree'>;

interface Git {
  run(...args: readonly string[]): Promise<StepResult>;
  /** Rejects with the typed failure of what git said. */
  must(...args: readonly string[]): Promise<StepResult>;
  failure(result: StepResult): FailureError;
  /** Its stdout, which is for us and not for the log. */
  read(...args: readonly string[]): Promise<string>;
  /** Hands over each line of its stdout; `take` ends it by throwing. */
  each(take: (line: string) => void, ...args: readonly string[]): Promise<void>;
  with(env: Readonly<Record<string, string>>): Git;
  /** Ends its commands when the signal aborts too. */
  until(signal: AbortSignal): Git;
}

async function openGit(context: ActorContext, request: Request, cwd: string, signal: AbortSignal): Promise<Git> {
  const git = await trusting(createGit(context, request, cwd, signal), context, request);
  const { GIT_SSH_COMMAND, GIT_SSH } = context.callerEnv;
  if (!isSsh(request.source.url) || GIT_SSH_COMMAND !== undefined || GIT_SSH !== undefined) return git;
  const own = await git.run('config', '--get', 'core.sshCommand');
  return own.ok ? git : git.with(QUIET_SSH);
}

/** A git that is told in its own settings what to trust is told nothing else. */
async function trusting(git: Git, context: ActorContext, { source }: Request): Promise<Git> {
  const trust = source.url.startsWith('https:') ? await gitTrustEnv(context) : {};
  if (Object.keys(trust).length === 0) return git;
  const own = await git.run('config', '--get-regexp', '^http\\.(.*\\.)?sslca(info|path)$');
  return own.ok ? git : git.with(trust);
}

function createGit(
  context: ActorContext,
  request: Request,
  cwd: string,
  signal: AbortSignal,
  extra: Readonly<Record<string, string>> = {},
): Git {
  const { plugin, source, credential } = request;
  const mask = createMask(credential);
  const masked: ActorContext = { ...context, output: (line) => context.output({ ...line, text: mask(line.text) }) };
  const env = {
    ...gitEnv(context, source, credential),
    // A home inside somebody's repository must not be taken for a part of it.
    GIT_CEILING_DIRECTORIES: context.store.home,
    ...extra,
  };
  const start = async (args: readonly string[], stepContext = masked, until = signal) => {
    const step = { plugin, stream: 'clone' as const, program: 'git', args: [...GIT_SETTINGS, ...args], cwd, env };
    const result = await runStep(stepContext, step, until);
    if (result.spawnError === 'ENOENT' || /^xcrun: error|xcode-select: /m.test(result.stderr)) throw new GitMissing();
    if (result.spawnError !== null) {
      throw new FailureError(cloneFailure('CLONE_FAILED', source, `git could not be started: ${result.spawnError}`));
    }
    return result;
  };
  const failure: Git['failure'] = (result) => new FailureError(gitFailure(result, source, mask));
  const must = (result: StepResult) => {
    if (!result.ok) throw failure(result);
    return result;
  };
  return {
    run: (...args) => start(args),
    failure,
    must: async (...args) => must(await start(args)),
    read: async (...args) => must(await start(args, { ...masked, output: () => undefined })).stdout,
    async each(take, ...args) {
      const over = new AbortController();
      const output: ActorContext['output'] = ({ text }) => {
        if (over.signal.aborted) return;
        try {
          take(text);
        } catch (error) {
          over.abort(error);
        }
      };
      const result = await start(args, { ...masked, output }, AbortSignal.any([signal, over.signal]));
      over.signal.throwIfAborted();
      must(result);
    },
    with: (more) => createGit(context, request, cwd, signal, { ...extra, ...more }),
    until: (more) => createGit(context, request, cwd, AbortSignal.any([signal, more]), extra),
  };
}

/** A host may send without end: what has arrived is looked at now and then, and too much of it ends the command. */
async function boundedBy<T>(
  { limits }: ActorContext,
  { source, tree }: FetchRequest,
  git: Git,
  work: (git: Git) => Promise<T>,
): Promise<T> {
  const over = new AbortController();
  const look = async () => {
    if ((await sizeBelow(join(tree, '.git', 'objects', 'pack'))) > limits.maxSource) {
      over.abort(tooLarge(source, limits, false));
    }
  };
  const timer = setInterval(() => void look(), LOOK_EVERY);
  try {
    return await work(git.until(over.signal));
  } finally {
    clearInterval(timer);
  }
}

/** Milliseconds; a fast line brings 100 MB in that time. */
const LOOK_EVERY = 1000;

async function sizeBelow(folder: string): Promise<number> {
  const names = await readdir(folder).catch(() => []);
  const sizes = await Promise.all(
    names.map((name) =>
      lstat(join(folder, name)).then(
        ({ size }) => size,
        () => 0,
      ),
    ),
  );
  return sizes.reduce((total, size) => total + size, 0);
}

/**
 * Brings the commit and names what to check out. Depth 1 takes branches, tags and, from hosts that allow it, any full
 * commit id; a short id, and a host that doesn't, need the whole history.
 */
async function fetchCommit(git: Git, { source: { url, ref } }: Request): Promise<string> {
  const shallow = await git.run(
    ...['fetch', '--quiet', '--depth=1', '--no-tags', '--no-recurse-submodules', '--', url, ref ?? 'HEAD'],
  );
  if (shallow.ok) return 'FETCH_HEAD';
  const isCommit =
    mayBeCommitId(ref) && /couldn't find remote ref|not our ref|unadvertised object/.test(shallow.stderr);
  if (!isCommit && !/does not support shallow/.test(shallow.stderr)) throw git.failure(shallow);
  await git.must(
    ...['fetch', '--quiet', '--tags', '--no-recurse-submodules', '--', url],
    ...['+HEAD:refs/remotes/origin/HEAD', '+refs/heads/*:refs/remotes/origin/*'],
  );
  if (ref === null) return 'refs/remotes/origin/HEAD';
  for (const name of [`refs/tags/${ref}`, `refs/remotes/origin/${ref}`, ref]) {
    if ((await git.run('rev-parse', '--quiet', '--verify', `${name}^{commit}`)).ok) return name;
  }
  throw git.failure(shallow);
}

/**
 * Counted before anything is written: a few kilobytes of trees that hold each other can stand for millions of files.
 */
async function refuseTooLarge(git: Git, { limits }: ActorContext, { source }: Request, wanted: string): Promise<void> {
  let files = 0;
  let bytes = 0;
  const take = (line: string) => {
    const [, size] = /^\d+ blob [0-9a-f]+ +(\d+)\t/.exec(line) ?? [];
    files += 1;
    bytes += Number(size ?? 0);
    if (files > limits.maxFiles || bytes > limits.maxSource) throw tooLarge(source, limits, files > limits.maxFiles);
  };
  await git.each(take, 'ls-tree', '-r', '-t', '-l', wanted);
}

const isUnknownRef = (error: unknown) => error instanceof FailureError && error.failure.code === 'CLONE_REF_NOT_FOUND';

/** git takes a page of one line for the list of a repository without branches. */
async function isPage(context: ActorContext, url: string, signal: AbortSignal): Promise<boolean> {
  if (!/^https?:/.test(url)) return false;
  const http = await createGitHttp(context.callerEnv, signal);
  const list = await http.request({ url: `${url}/info/refs?service=git-upload-pack` }).catch(() => null);
  if (list?.statusCode !== 200 || list.headers?.['content-type']?.startsWith('application/x-git-')) return false;
  for await (const chunk of list.body ?? []) return !/^[0-9a-f]{40,64}\t/.test(Buffer.from(chunk).toString('latin1'));
  return false;
}

/** Builds ask git for the tag that they are at (setuptools-scm, hatch-vcs) and for `origin`; a bare fetch keeps neither. */
async function keepRemote({ source, tree }: FetchRequest): Promise<void> {
  const url = source.url.replace(/["\\]/g, '\\$&');
  await appendFile(
    join(tree, '.git', 'config'),
    `[remote "origin"]\n\turl = "${url}"\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n`,
  );
  const head = await readFile(join(tree, '.git', 'FETCH_HEAD'), 'utf8');
  const [, id, tag] = /^([0-9a-f]+)\t\ttag '([^']+)' of /m.exec(head) ?? [];
  if (id === undefined || tag !== source.ref) return;
  const file = join(tree, '.git', 'refs', 'tags', tag);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, `${id}\n`);
}

/** Files that LFS can't deliver (quota, no login) are left as pointers: most servers never read them. */
async function checkOut(git: Git, context: ActorContext, { plugin }: Request, wanted: string): Promise<void> {
  const args = ['checkout', '--quiet', '--force', '--detach', wanted];
  const result = await git.run(...args);
  if (result.ok) return;
  if (!/smudge filter|git-lfs/.test(result.stderr)) throw git.failure(result);
  warn(context, plugin, 'Some files are in Git LFS and could not be fetched; their pointers are there instead.');
  await git.with({ GIT_LFS_SKIP_SMUDGE: '1' }).must(...args);
}

/**
 * A submodule that can't be fetched is left empty, with a warning: often it holds only tests or documents, or names an
 * ssh address of a public repository. Submodules never come from the local disk, not even for a local source.
 */
async function updateSubmodules(
  git: Git,
  context: ActorContext,
  request: FetchRequest,
  folder = '.',
  depth = 1,
): Promise<void> {
  const { plugin, tree } = request;
  const list = join(tree, folder, '.gitmodules');
  // A link would be read where it leads.
  const found = await lstat(list).catch(() => null);
  if (!found?.isFile()) return;
  const remote = git.with({ GIT_ALLOW_PROTOCOL: 'https:http:ssh' });
  const update = ['-C', folder, 'submodule', '--quiet', 'update', '--init', '--depth=1'];
  const all = await remote.run(...update);
  for (const path of submodulesIn(await readFile(list, 'utf8'))) {
    // The first one that fails ends the command; the others may do. Forced, because those that were cloned have no files yet.
    const { ok, tail } = all.ok ? all : await remote.run(...update, '--force', '--', path);
    if (!ok) {
      const why = tail.find((line) => line.startsWith('fatal: '));
      warn(context, plugin, `The submodule ${join(folder, path)} could not be fetched and is empty (${why}).`);
      continue;
    }
    const inner = await lstat(join(tree, folder, path)).catch(() => null);
    if (depth < MOST_NESTED && inner?.isDirectory()) {
      await updateSubmodules(git, context, request, join(folder, path), depth + 1);
    }
  }
}

/** A repository can be its own submodule, for ever. */
const MOST_NESTED = 4;

function warn(context: ActorContext, plugin: string, text: string): void {
  context.log.warn({ plugin }, text);
  context.output({ plugin, stream: 'clone', text });
}
