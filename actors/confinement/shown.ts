/** What a plugin has to see of hidden folders: its own tree, and the runtime that it runs on, wherever that was installed. */

import { readlink, realpath } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, resolve } from 'node:path';
import type { Environment } from '../../machines/contracts.ts';
import { exists } from '../exists.ts';
import type { ResolvedCommand } from '../process/command.ts';
import { isBelow } from './sandbox.ts';

/** Of what `env` names only these files are shown, and those that the owner named. */
const CERTIFICATES =
  /^(NODE_EXTRA_CA_CERTS|SSL_CERT_(FILE|DIR)|NIX_SSL_CERT_FILE|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE|GIT_SSL_CAINFO|AWS_CA_BUNDLE|DENO_CERT|GRPC_DEFAULT_SSL_ROOTS_FILE_PATH)$/;

export interface ShownFor {
  readonly home: string;
  readonly environment: Pick<Environment, 'dir' | 'programs' | 'path'>;
  readonly command: ResolvedCommand;
  readonly env: Readonly<Record<string, string>>;
  /** Variables that the plugin's owner gave: a file that one of them names is meant to be read. */
  readonly owners: Readonly<Record<string, string>>;
  /** Folders that are shown empty. */
  readonly hidden: readonly string[];
}

/** Absolute paths that exist and are below a hidden folder, each once. */
export async function shownPaths({
  home,
  environment,
  command,
  env,
  owners,
  hidden,
}: ShownFor): Promise<readonly string[]> {
  const { dir, programs, path } = environment;
  const starters = [command.program, ...Object.values(programs), join(dirname(command.program), 'python')];
  const inPath = path.flatMap((folder) => [folder, join(folder, 'python'), join(folder, 'node')]);
  const chains = await Promise.all([...starters, ...inPath].filter(isAbsolute).map(linksOf));
  const files = [
    ...Object.entries(env).flatMap(([name, value]) => (CERTIFICATES.test(name) ? [value] : [])),
    ...Object.values(owners),
  ].filter(isAbsolute);
  const wanted = [
    ...[dir, command.cwd].map((each) => ownFolder(home, each)),
    join(home, 'runtimes'),
    ...path,
    ...chains.flat().map((program) => prefixOf(program, hidden)),
    ...files,
  ];
  const both = await Promise.all(wanted.map(async (each) => [each, await realpath(each).catch(() => each)]));
  const covered = [...new Set(both.flat())].filter((each) =>
    hidden.some((folder) => each !== folder && isBelow(each, folder)),
  );
  const there = await Promise.all(covered.map(exists));
  const paths = covered.filter((_, at) => there[at]);
  return paths.filter((each) => !paths.some((other) => other !== each && isBelow(each, other)));
}

/** `envs/<plugin>/<key>` (or `checkouts/<source>/<commit>`) of the home, which is more than the tree; else the folder itself. */
function ownFolder(home: string, dir: string): string {
  if (!isBelow(dir, home)) return dir;
  return join(home, ...relative(home, dir).split('/').slice(0, 3));
}

/** The path and every path that it is a link to, one after the other. */
async function linksOf(path: string): Promise<readonly string[]> {
  const chain = [path];
  for (let at = path; chain.length < 10; chain.push(at)) {
    const target = await readlink(at).catch(() => null);
    if (target === null) break;
    at = resolve(dirname(at), target);
  }
  return [...chain, await realpath(path).catch(() => path)];
}

/** What was installed with a program: the folder above its `bin`; less where that would show a hidden folder as a whole. */
function prefixOf(program: string, hidden: readonly string[]): string {
  const folder = dirname(program);
  const prefix = /^(s?bin|shims)$/.test(basename(folder)) ? dirname(folder) : folder;
  const isWhole = (path: string) => hidden.some((each) => isBelow(each, path));
  return [prefix, folder].find((path) => !isWhole(path)) ?? program;
}
