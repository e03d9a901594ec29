/** What the project's own documents run: the file, module or script that its authors start it by. */

import { basename, dirname, join } from '../paths.ts';
import type { FileView } from '../plan.ts';

export interface Mention {
  /** `server.py`, `src/app/main.py` (as written, with '/') or `pkg.server`. */
  readonly word: string;
  readonly kind: 'file' | 'module';
  readonly file: string;
  readonly line: number;
  /** The image's command says what runs, a client's configuration nearly as much, a line of prose the least. */
  readonly weight: number;
}

const DOCUMENTS: readonly (readonly [name: RegExp, weight: number])[] = [
  [/^Dockerfile(\..*)?$/i, 3],
  [/^(Procfile|smithery\.ya?ml)$/, 3],
  [/^(readme|README|Readme)(\.md|\.rst|\.txt)?$/, 2],
  [/^(docker-compose|compose)\.ya?ml$/, 2],
  [/^(Makefile|justfile|run\.sh|start\.sh|Taskfile\.ya?ml)$/, 1],
];

/** Commands that tell how to start, in the folder and (for its image) only there. */
export function readMentions(view: FileView, dir: string): Mention[] {
  return DOCUMENTS.flatMap(([name, weight]) =>
    view.files
      .filter((file) => dirname(file) === dir && name.test(basename(file)))
      .flatMap((file) => mentionsIn(view.read(file) ?? '', file, weight)),
  );
}

/** Modules that are tools, not servers. */
const TOOLS =
  /^(pip|venv|pytest|uvicorn|gunicorn|hypercorn|http|build|twine|black|ruff|mypy|flask|playwright|spacy|nltk|pdb|json|poetry|uv|site|ensurepip|compileall|unittest|coverage|virtualenv|fastmcp|mcp)(\.|$)/;

function mentionsIn(text: string, file: string, weight: number): Mention[] {
  return text.split('\n').flatMap((line, at) => {
    // Build steps of an image and comments start nothing.
    if (/^\s*(RUN|COPY|ADD|FROM|ARG|#(?!!))/.test(line)) return [];
    const words = line.split(/["'`\s,[\](){}=]+/).filter((word) => word !== '');
    return words.flatMap((word, index): Mention[] => {
      const place = { file, line: at + 1 };
      const before = words[index - 1] ?? '';
      if (/^[\w./\\<>$:~-]*\w\.py$/.test(word)) {
        // A bare name in prose describes the file; a command or a list of arguments runs it.
        const runs = /^(-u|python[\d.]*|py|run|exec|uv|fastmcp)$/.test(before) || /["'][^"']*\.py["']/.test(line);
        return [{ ...place, word: word.replaceAll('\\', '/'), kind: 'file', weight: runs ? weight : weight / 4 }];
      }
      if (before === '-m' && /^[A-Za-z_][\w.]*$/.test(word) && !TOOLS.test(word))
        return [{ ...place, word, kind: 'module', weight }];
      const served = /^(?:uvicorn|gunicorn|hypercorn)$/.test(before)
        ? /^([A-Za-z_][\w.]*):\w+$/.exec(word)?.[1]
        : undefined;
      return served === undefined ? [] : [{ ...place, word: served, kind: 'module', weight }];
    });
  });
}

/** How strongly, and where, a file is named as what is run; null when it is not. */
export function mentionOf(mentions: readonly Mention[], dir: string, file: string): Mention | null {
  const own = dir === '' ? file : file.slice(dir.length + 1);
  const module = own
    .replace(/\.py$/, '')
    .replace(/\/__main__$/, '')
    .replaceAll('/', '.');
  const isIt = ({ kind, word }: Mention): boolean =>
    kind === 'file'
      ? // `/path/to/repo/src/server.py`, `src/server.py` and, for a file of the root, `server.py`.
        word === own || word.endsWith(`/${own}`) || join(word) === own
      : kind === 'module' && (word === module || module.endsWith(`.${word}`));
  return mentions
    .filter(isIt)
    .reduce<Mention | null>((best, each) => (best === null || each.weight > best.weight ? each : best), null);
}
