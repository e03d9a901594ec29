/** Folders that a server logs into and expects to be there: git keeps none that is empty. */

import { dirname, join, relative } from '../paths.ts';
import type { Evidence } from '../plan.ts';
import { lineOf } from './lines.ts';
import type { Tree } from './tree.ts';

export interface LogFolder {
  /** Below the project's folder, which is where it runs. */
  readonly path: string;
  readonly evidence: Evidence;
}

const LOG =
  /FileHandler\(\s*(?:filename\s*=\s*)?[rf]?["']([\w-][\w./-]{0,200})\/[\w.-]{1,100}["']|filename\s*=\s*["']([\w-][\w./-]{0,200})\/[\w.-]{1,100}\.log["']/;
/** Whoever makes folders makes this one, too. */
const MAKES = /\bmakedirs\(|\.mkdir\(|\bmkdir\(/;

export function logFolders(view: Tree, dir: string, files: readonly string[]): LogFolder[] {
  const texts = files.map((file) => ({ file, text: view.read(file) ?? '' }));
  if (texts.some(({ text }) => MAKES.test(text))) return [];
  return texts.flatMap(({ file, text }) => {
    const match = LOG.exec(text);
    const path = join(match?.[1] ?? match?.[2] ?? '');
    const isBelow = path !== '' && !relative(dir, join(dir, path)).startsWith('..');
    if (!isBelow || view.isFolder(join(dir, path)) || dirname(path).startsWith('..')) return [];
    return [
      {
        path,
        evidence: { file, ...lineOf(view, file, LOG), says: `logs into ${path}, which is not there: it is made` },
      },
    ];
  });
}
