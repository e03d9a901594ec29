/** How Maven is run: by its wrapper or as it is installed, from the root of the modules. */

import { dirname, isBelow, join, relative, upwards } from '../paths.ts';
import type { Command, Evidence, FileView, Rung } from '../plan.ts';
import { isRefusalLike } from './facts.ts';
import { LIBRARIES } from './maven-packaging.ts';
import { readPom } from './pom.ts';

/** Nothing asks, nothing draws bars, nothing that only watches over the sources is run. */
const QUIET = ['-B', '-ntp', '-Dstyle.color=never'];
const NO_TESTS = ['-Dmaven.test.skip=true'];

const CHECKS = [
  'enforcer.skip',
  'checkstyle.skip',
  'spotless.check.skip',
  'spotless.apply.skip',
  'spotbugs.skip',
  'pmd.skip',
  'cpd.skip',
  'license.skip',
  'rat.skip',
  'jacoco.skip',
  'maven.javadoc.skip',
  'maven.source.skip',
  'gpg.skip',
  'skipFormatting',
].map((name) => `-D${name}=true`);

export const copyLibraries = [
  'dependency:copy-dependencies',
  '-DincludeScope=runtime',
  `-DoutputDirectory=${LIBRARIES}`,
];

export interface Reactor {
  /** Folder in which Maven runs. */
  readonly dir: string;
  /** `-pl <module> -am`, [] for the root itself. */
  readonly words: readonly string[];
}

/** The topmost pom above that names this folder among its modules: what the module needs of its siblings is built with it. */
export function reactorRoot(view: FileView, dir: string): Reactor {
  let found: Reactor = { dir, words: [] };
  let child = dir;
  for (const above of upwards(dir).slice(1)) {
    const pom = readPom(view, above);
    if (pom === null || isRefusalLike(pom)) continue;
    if (!pom.modules.some((module) => join(above, module).replace(/\/pom\.xml$/, '') === child)) continue;
    found = { dir: above, words: ['-pl', relative(above, dir), '-am'] };
    child = above;
  }
  return found;
}

export function ladder(view: FileView, dir: string, root: Reactor, goals: readonly string[], flags: readonly string[]) {
  const words = (more: readonly string[]) => [...QUIET, ...more, ...flags, ...root.words, ...goals];
  const wrapper = wrapperOf(view, root.dir);
  const run = (how: 'mvn' | 'mvnw', more: readonly string[] = NO_TESTS): Command =>
    how === 'mvn'
      ? { program: 'mvn', args: words(more), cwd: root.dir }
      : {
          program: 'sh',
          args: [relative(root.dir, wrapper?.script ?? join(root.dir, 'mvnw')), ...words(more)],
          cwd: root.dir,
        };
  const first = wrapper === null ? 'mvn' : 'mvnw';
  const rungs: Rung[] = [
    { id: first, steps: [...(wrapper?.prepare ?? []), run(first)], cures: 'any' },
    // What a project checks of itself (style, licences, its Maven) is no part of the program.
    { id: 'without-checks', steps: [run(first, [...NO_TESTS, ...CHECKS])], cures: ['install-script-failed'] },
    // Some modules are made of another's tests.
    { id: 'with-tests-compiled', steps: [run(first, ['-DskipTests=true'])], cures: ['missing-module'] },
    wrapper === null
      ? {
          id: 'newer-maven',
          // The wrapper's plugin brings a Maven of today from where all else comes from, and leaves the system's alone.
          steps: [
            { program: 'mvn', args: ['-B', '-N', 'wrapper:wrapper', `-Dmaven=${RECENT_MAVEN}`], cwd: root.dir },
            // Its own word on Maven's version has been heard.
            run('mvnw', [...NO_TESTS, '-Denforcer.skip=true']),
          ],
          cures: ['engine-mismatch'],
        }
      : {
          id: 'mvn',
          steps: [run('mvn')],
          cures: ['network', 'missing-program', 'entry-missing', 'engine-mismatch', 'unknown'],
        },
  ];
  const evidence: Evidence[] =
    wrapper === null
      ? brokenWrapper(view, root.dir)
      : [
          {
            file: wrapper.script,
            says: `is a whole Maven wrapper${wrapper.prepare.length > 0 ? ' with Windows line ends' : ''}`,
          },
        ];
  if (root.dir !== dir)
    evidence.push({ file: join(root.dir, 'pom.xml'), says: `builds ${relative(root.dir, dir)} and what it needs` });
  return { rungs, tools: wrapper === null ? [{ name: 'mvn', version: null }] : [], evidence };
}

/** Released in 2024; runs on Java 8 and later. */
const RECENT_MAVEN = '3.9.9';

/** Files of a program whose jar was not made after all, brought together so that it can be started from them. */
export function rescue(view: FileView, root: Reactor): Command {
  const wrapper = wrapperOf(view, root.dir);
  const words = [...QUIET, ...NO_TESTS, ...root.words, 'package', ...copyLibraries];
  return wrapper === null
    ? { program: 'mvn', args: words, cwd: root.dir }
    : { program: 'sh', args: [relative(root.dir, wrapper.script), ...words], cwd: root.dir };
}

interface Wrapper {
  readonly script: string;
  /** Makes it run where it can't as it is. */
  readonly prepare: readonly Command[];
}

/** A script without its properties downloads nothing. */
function wrapperOf(view: FileView, dir: string): Wrapper | null {
  for (const folder of upwards(dir)) {
    const script = join(folder, 'mvnw');
    const properties = join(folder, '.mvn/wrapper/maven-wrapper.properties');
    if (!view.files.includes(script)) continue;
    if (!view.files.includes(properties) || !isBelow(dir, dirname(script))) return null;
    const files = [script, properties].filter((file) => view.read(file)?.includes('\r') === true);
    return { script, prepare: files.map((file) => withoutReturns(dir, file)) };
  }
  return null;
}

function brokenWrapper(view: FileView, dir: string): Evidence[] {
  const script = join(dir, 'mvnw');
  return view.files.includes(script)
    ? [
        {
          file: script,
          says: `has no maven-wrapper.properties, so the installed Maven is used`,
        },
      ]
    : [];
}

/** Takes the carriage returns off the ends of lines: a shell can't read a script that has them. Works in GNU's and BSD's sed. */
const withoutReturns = (dir: string, file: string): Command => ({
  program: 'sed',
  args: ['-i.crlf', 's/\r$//', relative(dir, file)],
  cwd: dir,
});
