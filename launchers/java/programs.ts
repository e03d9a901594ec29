/** What a build leaves that can be started: jars, classes with their dependencies, start scripts. */

import { byIdentity } from '../identity.ts';
import { basename, dirname, join, relative } from '../paths.ts';
import type { Candidate, FileView, LaunchPlan } from '../plan.ts';
import { ALWAYS, type Serving } from './serving.ts';

export type Program =
  /** `java -jar <path>`. */
  | { readonly kind: 'jar'; readonly name: string; readonly path: string }
  /** `java -cp <classpath> <main>`; `entry` shows that it was built. */
  | {
      readonly kind: 'main';
      readonly name: string;
      readonly main: string;
      readonly classpath: readonly string[];
      readonly entry: string;
    }
  /** A start script of Gradle's: a POSIX shell script that becomes the JVM. */
  | { readonly kind: 'script'; readonly name: string; readonly path: string };

/** Every program in every way, the best way first; `jvm` are words of the project's own for the JVM. Paths are below the tree. */
export function candidatesOf(
  dir: string,
  programs: readonly Program[],
  { ways }: Pick<Serving, 'ways'>,
  jvm: readonly string[] = [],
): Candidate[] {
  const [best] = ways;
  return ways.flatMap((way) => {
    const suffix = way === best || way.name === null ? '' : `#${way.name}`;
    const flags = [...ALWAYS, ...jvm, ...way.flags];
    return programs.map((program) => ({ ...commandOf(dir, program, flags), id: `${idOf(program)}${suffix}` }));
  });
}

const idOf = (program: Program): string =>
  program.kind === 'main' && program.entry.endsWith('.class')
    ? `classes:${program.name}`
    : `${program.kind === 'script' ? 'script' : 'jar'}:${program.name}`;

function commandOf(dir: string, program: Program, flags: readonly string[]): Omit<Candidate, 'id'> {
  const own = (path: string) => relative(dir, path);
  if (program.kind === 'script') {
    const JAVA_OPTS = flags.map(quoted).join(' ');
    return {
      command: { program: 'sh', args: [own(program.path)], cwd: dir, env: { JAVA_OPTS } },
      entry: program.path,
    };
  }
  const words =
    program.kind === 'jar' ? ['-jar', own(program.path)] : ['-cp', program.classpath.map(own).join(':'), program.main];
  return {
    command: { program: 'java', args: [...flags, ...words], cwd: dir },
    entry: program.kind === 'jar' ? program.path : program.entry,
  };
}

/** As the start script splits its options: like a shell, without one. */
const quoted = (word: string): string => (/^[\w./:=@,+{}-]+$/.test(word) ? word : `'${word}'`);

/** Never the program: sources, documentation, tests, the thin jar beside a fat one. */
const ASIDE = /-(sources|javadoc|kdoc|plain|tests?|test-fixtures)\.(jar|war)$|^original-/;

/** With everything inside. */
const FAT =
  /-(jar-with-dependencies|all|fat|uber|uberjar|shaded|shadow|runner|exec|executable|standalone|full|boot|bundle)\.(jar|war)$/;

/**
 * After the build: candidates of ours whose file is called otherwise than was foretold get the right one. Jars with
 * everything inside come before others, then those that are named like the project.
 */
export function followBuilt(view: FileView, plan: LaunchPlan): LaunchPlan {
  const start = plan.start.map((candidate) => {
    const { id, entry } = candidate;
    if (entry === null) return candidate;
    if (id.startsWith('script:') && /\/install\/[^/]+\/bin\/[^/]+$/.test(entry)) {
      return view.files.includes(entry) ? candidate : moved(candidate, installedScript(view, entry, nameOf(id)));
    }
    if (!id.startsWith('jar:') || !/\.(jar|war)$/.test(entry)) return candidate;
    return moved(candidate, builtJar(view, entry, nameOf(id)));
  });
  return { ...plan, start };
}

const nameOf = (id: string): string => id.replace(/^\w+:|#\w+$/g, '');

function builtJar(view: FileView, foretold: string, name: string): string | null {
  const dir = dirname(foretold);
  const jars = view.files.filter(
    (file) => dirname(file) === dir && /\.(jar|war)$/.test(file) && !ASIDE.test(basename(file)),
  );
  const fat = jars.filter((file) => FAT.test(basename(file)));
  const some = fat.length > 0 ? fat : jars;
  if (some.includes(foretold)) return foretold;
  const stems = some.map((file) => basename(file).replace(/(-v?\d[\w.+-]*)?\.\w+$/, ''));
  const [best] = byIdentity(stems, [name]);
  return best === undefined ? null : (some[stems.indexOf(best)] ?? null);
}

/** `build/install/<project>/bin/<project>`, whatever the build calls them. */
function installedScript(view: FileView, foretold: string, name: string): string | null {
  const root = dirname(dirname(dirname(foretold)));
  const scripts = view.files.filter(
    (file) => file.startsWith(`${root}/`) && /^[^/]+\/bin\/[^/]+$/.test(relative(root, file)) && !file.endsWith('.bat'),
  );
  const [best] = byIdentity(scripts.map(basename), [name]);
  return scripts.find((file) => basename(file) === best) ?? null;
}

function moved(candidate: Candidate, entry: string | null): Candidate {
  const { command } = candidate;
  if (entry === null || entry === candidate.entry || candidate.entry === null) return candidate;
  const before = relative(command.cwd, candidate.entry);
  const args = command.args.map((word) => (word === before ? relative(command.cwd, entry) : word));
  return { ...candidate, entry, command: { ...command, args } };
}

/** True when the folder holds built files: only then is it known what was not built. */
export const isBuilt = (view: FileView, dir: string, output: string): boolean => view.has(join(dir, output));
