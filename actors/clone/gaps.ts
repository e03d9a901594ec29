/** What a checkout lacks though its commit names it: files that are still Git LFS pointers, submodules that are empty. */

import { open, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Cause, CauseKind, Evidence } from '../../launchers/plan.ts';
import { createFailure } from '../../machines/failure.ts';
import { FailureError } from '../failure-error.ts';

/** Looked for only where the repository says that there may be some; archives of hosts have both kinds too. */
export async function findGaps(tree: string): Promise<readonly Evidence[]> {
  return [...(await emptySubmodules(tree)), ...(await pointers(tree))].slice(0, MOST_NAMED);
}

const MOST_NAMED = 20;

async function emptySubmodules(tree: string): Promise<Evidence[]> {
  const empty: Evidence[] = [];
  for (const path of submodulesIn(await textOf(join(tree, '.gitmodules')))) {
    const entries = await readdir(join(tree, path)).catch(() => []);
    if (entries.every((name) => name === '.git')) empty.push({ file: path, says: 'is a submodule, and empty here' });
  }
  return empty;
}

/** Paths of a `.gitmodules`, those that lead out of the repository left out. */
export function submodulesIn(text: string): string[] {
  const paths = [...text.matchAll(/^\s*path\s*=\s*"?([^"\n]+?)"?\s*$/gm)].map(([, path = '']) => path);
  return paths.filter((path) => !path.startsWith('/') && !path.split('/').includes('..'));
}

const POINTER = 'version https://git-lfs.github.com/spec/';
/** A pointer has three lines; the specification allows no more than this. */
const MOST_POINTER = 1024;
const MOST_LOOKED_AT = 50_000;

async function pointers(tree: string): Promise<Evidence[]> {
  if (!/\bfilter=lfs\b/.test(await textOf(join(tree, '.gitattributes')))) return [];
  const found: Evidence[] = [];
  let looked = 0;
  let level = [''];
  while (level.length > 0 && looked < MOST_LOOKED_AT && found.length < MOST_NAMED) {
    const next: string[] = [];
    for (const folder of level) {
      for (const entry of await readdir(join(tree, folder), { withFileTypes: true }).catch(() => [])) {
        const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
        looked += 1;
        if (entry.isDirectory() && !/^(\.git|node_modules)$/.test(entry.name)) next.push(path);
        else if (entry.isFile() && (await isPointer(join(tree, path)))) {
          found.push({ file: path, says: 'is only a pointer into Git LFS' });
        }
      }
    }
    level = next;
  }
  return found;
}

async function isPointer(path: string): Promise<boolean> {
  const { size } = await stat(path);
  if (size < POINTER.length || size > MOST_POINTER) return false;
  const file = await open(path);
  try {
    const start = Buffer.alloc(POINTER.length);
    await file.read(start, 0, start.length, 0);
    return start.toString('latin1') === POINTER;
  } finally {
    await file.close();
  }
}

const textOf = (file: string): Promise<string> => readFile(file, 'utf8').catch(() => '');

/** A missing file explains none of these. */
const OTHER: readonly CauseKind[] = [
  'network',
  'needs-login',
  'missing-setting',
  'missing-argument',
  'missing-service',
  'port-taken',
  'out-of-disk',
  'held-back',
];

/** What to do about the gaps; null when they can't be why it failed. */
export function gapHint(gaps: readonly Evidence[] = [], cause?: CauseKind): string | null {
  const [first, ...others] = gaps;
  if (first === undefined || (cause !== undefined && OTHER.includes(cause))) return null;
  const more = others.length === 0 ? '' : `, and ${others.length} more like it`;
  const how = gaps.some(({ says }) => says.includes('LFS'))
    ? 'install git-lfs, run `git lfs install`, and fetch it anew'
    : 'its address may need a login, or the git program';
  return `It may be because ${first.file} ${first.says}${more}: ${how}.`;
}

/** Adds to a failure that the checkout's gaps may be why. */
export async function withGaps<T>(gaps: readonly Evidence[] | undefined, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof FailureError)) throw error;
    const { failure } = error;
    const hint = gapHint(gaps, failure.data.cause as CauseKind | undefined);
    if (hint === null) throw error;
    const told = createFailure(failure.code, {
      ...failure,
      hint: `${hint} ${failure.hint}`,
      data: { ...failure.data, gaps },
    });
    throw new FailureError(told, { cause: error });
  }
}

/** The same for what a launcher made of a program's end. */
export function causeWithGaps(cause: Cause | null, gaps: readonly Evidence[] | undefined): Cause | null {
  const hint = cause === null ? null : gapHint(gaps, cause.kind);
  return cause === null || hint === null ? cause : { ...cause, hint: `${hint} ${cause.hint}` };
}
