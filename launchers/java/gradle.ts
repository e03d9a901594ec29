/** Projects with a build.gradle or build.gradle.kts. */

import semver from 'semver';
import { basename, join, relative } from '../paths.ts';
import type { Command, Evidence, FileView, Rung, Tool } from '../plan.ts';
import type { JavaProject } from './facts.ts';
import { outputOf } from './gradle-output.ts';
import {
  allPlugins,
  type Build,
  blockAt,
  buildFile,
  buildOf,
  type Catalog,
  dependenciesOf,
  literal,
  readCatalog,
  settingsFile,
  withoutComments,
} from './gradle-text.ts';
import { type JdkWish, javaRelease } from './jdk.ts';
import { passedOver } from './maven.ts';
import { findMainClasses } from './sources.ts';

/** A daemon would outlive the build, and so would Kotlin's. */
const QUIET = [
  '--no-daemon',
  '--console=plain',
  '-Dorg.gradle.welcome=never',
  '-Pkotlin.compiler.execution.strategy=in-process',
];

/** Null for a folder without a build file. */
export function readGradle(view: FileView, dir: string): JavaProject | null {
  const settings = settingsFile(view, dir);
  const file = buildFile(view, dir) ?? settings;
  if (file === null) return null;
  const build = buildOf(view, dir);
  const catalog = readCatalog(view, build.root);
  const text = withoutComments(view.read(buildFile(view, dir) ?? '') ?? '');
  const shared =
    build.root === dir ? '' : sharedPart(withoutComments(view.read(buildFile(view, build.root) ?? '') ?? ''));
  const plugins = [...new Set([...allPlugins(view, text, catalog), ...allPlugins(view, shared, catalog)])];
  const dependencies = [...dependenciesOf(text, catalog), ...dependenciesOf(shared, catalog)];
  // Without a name of its own a build is called like its folder, which is not known before it is installed.
  const name = ((build.root === dir ? build.name : null) ?? basename(dir)) || 'project';
  const mains = findMainClasses(view, dir);
  const declared = declaredMain(text);
  const main = declared ?? mains[0]?.name ?? null;
  const made = outputOf(view, { dir, build, name, text, shared, plugins, main, isMain: declared !== null });
  const { rungs, tools, evidence, version } = ladder(view, dir, build, made.task);
  return {
    file,
    name,
    dependencies,
    modules: build.root === dir ? [...build.projects.keys()].map((folder) => relative(dir, folder)).sort() : [],
    only:
      foreignPlugin(plugins) ??
      (made.says === null && mains.length === 0 && build.root === dir && build.projects.size > 0
        ? 'gathers projects'
        : null),
    wish: wishOf(file, text, catalog) ?? wishOf(file, shared, catalog),
    below: tooNewFor(version),
    jvm: [],
    tools,
    rungs,
    build: [],
    programs: made.programs,
    names: made.says !== null,
    evidence: [
      ...(made.says === null ? [] : [{ file, says: made.says }]),
      ...(declared === null ? [] : [{ file, says: `names the main class ${declared}` }]),
      ...(declared === null && mains[0] !== undefined
        ? [{ file: mains[0].file, line: mains[0].line, says: 'has a main method' }]
        : []),
      ...evidence,
    ],
    passedOver: passedOver(mains, main),
  };
}

/** What the root's build file says for all of its projects. */
const sharedPart = (text: string): string => {
  const blocks: string[] = [];
  for (const { index } of text.matchAll(/\b(?:allprojects|subprojects)\s*\{/g)) blocks.push(blockAt(text, index));
  return blocks.join('\n');
};

const FOREIGN: readonly (readonly [RegExp, string])[] = [
  [/^com\.android\./, 'is an Android app'],
  [/^org\.jetbrains\.intellij/, 'is a plugin of an IDE'],
  [/^(fabric-loom|net\.fabricmc|net\.minecraftforge|net\.neoforged|io\.papermc|architectury)/, 'is a part of a game'],
];

const foreignPlugin = (plugins: readonly string[]): string | null =>
  FOREIGN.find(([pattern]) => plugins.some((id) => pattern.test(id)))?.[1] ?? null;

const MAIN = [
  /\bmainClass(?:Name)?\s*(?:\.set\s*\(|=|\s)\s*([^\n)]+)/,
  /["']Main-Class["']\s*(?:to|:|,|\]\s*=)\s*([^\n,)]+)/,
  /\[\s*["']Main-Class["']\s*\]\s*=\s*([^\n]+)/,
];

function declaredMain(text: string): string | null {
  for (const pattern of MAIN) {
    const found = pattern.exec(text)?.[1];
    const value = found === undefined ? null : literal(text, found);
    if (value !== null && /^[\w.$]+$/.test(value)) return value;
  }
  return null;
}

function wishOf(file: string, text: string, catalog: Catalog): JdkWish | null {
  const said = [
    /jvmToolchain\s*\(?\s*(?:\{\s*languageVersion[^\n]*?of\(\s*)?["']?([\w.()"]+)/,
    /JavaLanguageVersion\.of\(\s*["']?([\w.()"]+)/,
    /\brelease\s*(?:\.set\(|=)\s*([\w.()"]+)/,
    /\btargetCompatibility\s*=?\s*["']?([\w.()"]+)/,
    /\bsourceCompatibility\s*=?\s*["']?([\w.()"]+)/,
    /JvmTarget\.(JVM_[\d_]+)/,
    /\bjvmTarget\s*=\s*["']([\d.]+)["']/,
  ].map((pattern) => {
    const found = pattern.exec(text)?.[1];
    if (found === undefined) return 0;
    const named = /libs\.versions\.([\w.]+?)(?:\.get|$)/.exec(found)?.[1];
    if (named !== undefined)
      return javaRelease(catalog.version(named) ?? catalog.version(named.replaceAll('.', '-'))) ?? 0;
    return javaRelease(found) ?? javaRelease(literal(text, found)) ?? 0;
  });
  const least = Math.max(0, ...said);
  return least === 0 ? null : { least, file, says: `is compiled for Java ${least}` };
}

/** Newest Java that runs each Gradle, from Gradle's compatibility table: from this version on, up to that Java. */
const RUNS_ON: readonly (readonly [gradle: string, java: number])[] = [
  ['9.1.0', 25],
  ['8.14.0', 24],
  ['8.10.0', 23],
  ['8.8.0', 22],
  ['8.5.0', 21],
  ['8.3.0', 20],
  ['7.6.0', 19],
  ['7.5.0', 18],
  ['7.3.0', 17],
  ['7.0.0', 16],
  ['6.0.0', 13],
];

function tooNewFor(gradle: string | null): number | null {
  const version = semver.coerce(gradle);
  if (version === null) return null;
  const [newest] = RUNS_ON;
  // What came after the table was made runs on more than it says.
  if (newest !== undefined && semver.gt(version, newest[0])) return null;
  const found = RUNS_ON.find(([from]) => semver.gte(version, from));
  return found === undefined ? null : found[1] + 1;
}

function ladder(view: FileView, dir: string, build: Build, task: string) {
  const { root } = build;
  const path = dir === root ? '' : (build.projects.get(dir) ?? `:${relative(root, dir).replaceAll('/', ':')}`);
  const words = [...QUIET, `${path}:${task}`];
  const jar = join(root, 'gradle/wrapper/gradle-wrapper.jar');
  const properties = join(root, 'gradle/wrapper/gradle-wrapper.properties');
  const isWhole = view.has(jar) && view.files.includes(properties);
  const version = /gradle-(\d[\w.-]*?)-(?:bin|all)\.zip/.exec(view.read(properties) ?? '')?.[1] ?? null;
  const installed: Command = { program: 'gradle', args: words, cwd: root };
  // By its jar: `gradlew` may have lost its mode, or have got Windows line ends.
  const wrapped: Command = {
    program: 'java',
    args: ['-cp', relative(root, jar), 'org.gradle.wrapper.GradleWrapperMain', ...words],
    cwd: root,
  };
  const rungs: Rung[] = isWhole
    ? [
        { id: 'gradle-wrapper', steps: [wrapped], cures: 'any' },
        { id: 'gradle', steps: [installed], cures: ['network', 'entry-missing', 'missing-module'] },
      ]
    : [{ id: 'gradle', steps: [installed], cures: 'any' }];
  const tools: Tool[] = isWhole ? [] : [{ name: 'gradle', version: null }];
  const script = join(root, 'gradlew');
  const evidence: Evidence[] = isWhole
    ? [{ file: properties, says: `is a whole Gradle wrapper${version === null ? '' : ` (Gradle ${version})`}` }]
    : view.files.includes(script)
      ? [{ file: script, says: 'lacks its jar or its properties, so the installed Gradle is used' }]
      : [];
  if (path !== '') evidence.push({ file: settingsFile(view, root) ?? root, says: `holds ${path}` });
  return { rungs, tools, evidence, version: isWhole ? version : null };
}
