/**
 * A package of a registry as a source. Nothing of it is downloaded here: its own client says which version is meant, and
 * the checkout is a note of that for the launcher; installing is the install's.
 */

import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SourceOf } from '../../launchers/plan.ts';
import type { Checkout } from '../../machines/contracts.ts';
import { createFailure } from '../../machines/failure.ts';
import type { ActorContext } from '../context.ts';
import { jobNetworkEnv } from '../env/network.ts';
import { jobEnv } from '../env.ts';
import { FailureError } from '../failure-error.ts';
import { runStep, type StepResult } from '../step.ts';
import { withTemp } from '../with-temp.ts';
import { moveIntoPlace } from './place.ts';

type PackageSource = SourceOf<'package'>;

export interface PackageRequest {
  readonly plugin: string;
  readonly source: PackageSource;
}

/** What a registry's client says of a package; `note` is what the launcher reads. */
export interface Resolved {
  readonly version: string;
  /** When that version was published; null when the registry doesn't say. */
  readonly published: Date | null;
  readonly note: Readonly<Record<string, unknown>>;
  /** Further files of the checkout, by name. */
  readonly files: Readonly<Record<string, string>>;
}

/** Runs a registry's client in an empty folder, with the user's own settings for it. */
export type RunClient = (args: readonly string[], env?: Readonly<Record<string, string>>) => Promise<StepResult>;

/** File of the checkout that says what to install; `launchers/package` reads it. */
export const NOTE = 'registry.json';

/** Releases come in families: what was published on the same day belongs to it. */
const SAME_DAY = 24 * 60 * 60_000;

/** The commit is `name@version`, the date that of its release. Fails with the codes of a clone. */
export async function resolvePackage(
  context: ActorContext,
  request: PackageRequest,
  signal: AbortSignal,
): Promise<Checkout> {
  const { store } = context;
  const { source } = request;
  return withTemp(store, 'package', async (temp) => {
    const { version, published, note, files } = await ask(context, request, temp, signal);
    const commit = `${source.name}@${version}`;
    const dir = store.checkoutDir(source, commit);
    const committedAt = published === null ? null : new Date(published.getTime() + SAME_DAY).toISOString();
    if ((await readdir(dir).catch(() => [])).length === 0) {
      const tree = join(temp, 'tree');
      await mkdir(tree);
      await writeFile(
        join(tree, NOTE),
        `${JSON.stringify({ registry: source.registry, ...note, version }, null, 2)}\n`,
      );
      for (const [name, text] of Object.entries(files)) await writeFile(join(tree, name), text);
      await moveIntoPlace(tree, dir);
    }
    return { dir, commit, committedAt };
  });
}

async function ask(context: ActorContext, { plugin, source }: PackageRequest, temp: string, signal: AbortSignal) {
  const isNpm = source.registry === 'npm';
  const tools = (isNpm ? ['node', 'npm'] : ['python', 'uv']).map((name) => ({ name, version: null }));
  const provided = await context.runtimes.provide(tools, signal);
  if (!provided.ok) throw new FailureError(provided.failure);
  const { toolset } = provided;
  const cwd = join(temp, 'asking');
  await mkdir(cwd);
  const client = isNpm ? 'npm' : 'uv';
  const network = await jobNetworkEnv(context);
  const run: RunClient = (args, env = {}) => {
    const step = { plugin, stream: 'clone' as const, program: toolset.programs[client] ?? client, args, cwd };
    // What it prints is for us; what it says of failures is in the failure.
    const quiet = { ...context, output: () => {} };
    return runStep(quiet, { ...step, env: jobEnv(context, toolset, { TMPDIR: temp, ...network, ...env }) }, signal);
  };
  if (isNpm) return (await import('./package/npm.ts')).askNpm(source, run);
  return (await import('./package/pypi.ts')).askPypi(source, {
    cwd,
    python: toolset.programs.python ?? 'python3',
    run,
  });
}

const NETWORK =
  /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|network|dns error|error sending request|timed out|Connection refused|certificate|SELF_SIGNED/i;

/** What a client's last words mean; the two of them say much the same. */
export function packageFailure({ name, version, registry }: PackageSource, result: StepResult): FailureError {
  const said = `${result.stdout}\n${result.stderr}`;
  const wanted = version === null ? name : `${name} in version ${version}`;
  const where = registry === 'npm' ? 'npm' : 'PyPI';
  const make = (code: Parameters<typeof createFailure>[0], message: string, hint?: string) =>
    new FailureError(
      createFailure(code, {
        message,
        hint,
        exit: result.exit,
        stderrTail: result.tail.map((line) => line.replace(/\/\/[^\s/@]+@/g, '//')),
        data: { registry, name, version },
      }),
    );
  if (result.spawnError !== null)
    return make('CLONE_FAILED', `The client of ${where} could not be started: ${result.spawnError}.`);
  if (/\bE40[13]\b|401 Unauthorized|403 Forbidden|status code 40[13]|\(40[13] /.test(said)) {
    return make(
      'CLONE_AUTH',
      `The ${where} registry wants a login for ${name}.`,
      `Log in as for installing it (${registry === 'npm' ? '`npm login`, .npmrc' : 'UV_INDEX_…, netrc, keyring'}), then try again.`,
    );
  }
  if (
    /\bETARGET\b|No match(ing version)? found for|there (is|are) no versions? of|no versions? of .* (found|match)|only the following versions/i.test(
      said,
    )
  ) {
    return make(
      'CLONE_REF_NOT_FOUND',
      `There is no ${wanted} on ${where}.`,
      `Check the version; \`${registry === 'npm' ? `npm view ${name} versions` : `pip index versions ${name}`}\` lists them.`,
    );
  }
  if (/\bE404\b|was not found in the package registry|not found in the (provided )?package locations/i.test(said)) {
    return make(
      'CLONE_NOT_FOUND',
      `There is no package ${name} on ${where}.`,
      'Check the name for a typing error; a private package needs the registry settings with which you install it.',
    );
  }
  if (NETWORK.test(said)) return make('CLONE_NETWORK', `The ${where} registry could not be reached.`);
  return make('CLONE_FAILED', `The ${where} registry did not tell of ${wanted}.`);
}
