/** A folder with one Java file and no build: JBang's scripts, and plain files that the JVM compiles as it starts them. */

import { basename, dirname, join } from '../paths.ts';
import type { Candidate, Evidence, FileView, Rung, Tool } from '../plan.ts';
import { javaRelease } from './jdk.ts';
import { ALWAYS } from './serving.ts';
import { looksLikeServer } from './sources.ts';

export interface SingleFile {
  readonly file: string;
  readonly tools: readonly Tool[];
  readonly install: readonly Rung[];
  readonly candidate: Candidate;
  /** `group:artifact` of its `//DEPS` lines. */
  readonly dependencies: readonly string[];
  readonly least: number | null;
  readonly evidence: readonly Evidence[];
}

const JBANG = /^\/\/\/usr\/bin\/env jbang|^\/\/(DEPS|JAVA|SOURCES) /m;

const filesIn = (view: FileView, dir: string): string[] =>
  view.files.filter(
    (file) => dirname(file) === dir && /\.(java|kt)$/.test(file) && basename(file) !== 'module-info.java',
  );

/** Null when nothing in the folder is a program of one file that serves. */
export function readSingleFile(view: FileView, dir: string): SingleFile | null {
  const texts = filesIn(view, dir).map((file) => ({ file, text: view.read(file) ?? '' }));
  const script = texts.find(({ text }) => JBANG.test(text) && (looksLikeServer(text) || /@Tool\b/.test(text)));
  const plain = texts.find(
    ({ file, text }) => file.endsWith('.java') && /\bmain\s*\(/.test(text) && /["']tools\/list["']/.test(text),
  );
  const found = script ?? plain;
  if (found === undefined) return null;
  const { file, text } = found;
  const name = basename(file);
  const least = javaRelease(/^\/\/JAVA\s+(\S+)/m.exec(text)?.[1] ?? null);
  const dependencies = [...text.matchAll(/^\/\/DEPS\s+(.+)$/gm)].flatMap(([, list = '']) =>
    list.split(/\s+/).map((each) => each.split(':').slice(0, 2).join(':')),
  );
  const isScript = script !== undefined;
  return {
    file,
    tools: isScript ? [{ name: 'jbang', version: null }] : [],
    install: isScript
      ? [{ id: 'jbang', steps: [{ program: 'jbang', args: ['--quiet', 'build', name], cwd: dir }], cures: 'any' }]
      : [],
    candidate: {
      id: `file:${name}`,
      entry: join(dir, name),
      command: {
        program: isScript ? 'jbang' : 'java',
        args: isScript ? ['--quiet', name] : [...ALWAYS, name],
        cwd: dir,
      },
    },
    dependencies,
    least,
    evidence: [{ file, says: isScript ? 'is a JBang script that serves' : 'is a program of one file that serves' }],
  };
}
