/** What a Gradle project makes, and how that is started. */

import { join } from '../paths.ts';
import type { FileView } from '../plan.ts';
import { type Build, blockAt, buildFile, versionOf, withoutComments } from './gradle-text.ts';
import type { Program } from './programs.ts';
import { readProperties } from './spring.ts';

interface Given {
  readonly dir: string;
  readonly build: Build;
  readonly name: string;
  readonly text: string;
  readonly shared: string;
  readonly plugins: readonly string[];
  readonly main: string | null;
  readonly isMain: boolean;
}

interface Output {
  readonly task: string;
  readonly programs: readonly Program[];
  /** What makes it a program; null when nothing in the build file does. */
  readonly says: string | null;
}

export function outputOf(view: FileView, given: Given): Output {
  const { dir, build, name, text, plugins, main } = given;
  const has = (pattern: RegExp) => plugins.some((id) => pattern.test(id));
  const stem = archiveStem(view, given);
  const jar = (path: string, label = name): Program => ({ kind: 'jar', name: label, path: join(dir, path) });
  const script = (folder: string): Program => ({
    kind: 'script',
    name: folder,
    path: join(dir, 'build/install', folder, 'bin', folder),
  });
  if (has(/^io\.quarkus$/)) {
    const properties = readProperties(view, dir);
    const uber = /uber/.test(
      properties.get('quarkus.package.jar.type') ?? properties.get('quarkus.package.type') ?? '',
    );
    const path = uber ? `build/${stem}-runner.jar` : 'build/quarkus-app/quarkus-run.jar';
    return { task: 'quarkusBuild', programs: [jar(path)], says: 'makes a Quarkus application' };
  }
  if (has(/^org\.springframework\.boot$/)) {
    const own = blockOf(text, /\bbootJar\b[^\n{]*\{/);
    return {
      task: 'bootJar',
      programs: [jar(archivePath(own, stem, null))],
      says: 'makes a Spring Boot jar',
    };
  }
  if (has(/(^|\.)shadow$/)) {
    const own = blockOf(text, /\bshadowJar\b[^\n{]*\{|ShadowJar>?[^\n{]*\{/);
    const path = archivePath(own, stem, 'all');
    const runs = has(/^application$/) || /Main-Class/.test(text) || main === null;
    const program: Program = runs
      ? jar(path)
      : { kind: 'main', name, main, classpath: [join(dir, path)], entry: join(dir, path) };
    return { task: 'shadowJar', programs: [program], says: 'makes a jar with everything inside' };
  }
  if (has(/^io\.ktor\.plugin$/)) {
    const fat = /archiveFileName(?:\.set\()?\s*=?\s*\(?["']([^"']+)["']/.exec(blockOf(text, /\bfatJar\s*\{/))?.[1];
    return {
      task: 'buildFatJar',
      programs: [jar(`build/libs/${fat ?? `${stem}-all.jar`}`)],
      says: 'makes a jar with everything inside',
    };
  }
  if (has(/^application$|^io\.micronaut\.(minimal\.)?application$/)) {
    const folder = /\bapplicationName\s*(?:=|\.set\()\s*["']([^"']+)["']/.exec(text)?.[1] ?? name;
    return { task: 'installDist', programs: [script(folder)], says: 'is an application' };
  }
  if (has(/multiplatform$/) && /\bexecutable\b/.test(text)) {
    return { task: 'installJvmDist', programs: [script(`${name}-jvm`)], says: 'is an application for the JVM' };
  }
  const fatTask =
    /\b(?:register|create)\s*(?:<\s*Jar\s*>)?\s*\(\s*["'](\w+)["']\s*(?:,\s*Jar(?:::class)?\s*)?\)|\btask\s+(\w+)\s*\(\s*type\s*:\s*Jar\s*\)|\bval\s+(\w+)\s+by\s+tasks\.(?:registering|creating)\s*\(\s*Jar::class/.exec(
      text,
    );
  const fatName = fatTask?.[1] ?? fatTask?.[2] ?? fatTask?.[3];
  if (fatName !== undefined && /Main-Class/.test(text)) {
    const classifier = /archiveClassifier(?:\.set)?\s*[=(]\s*\(?["']([^"']*)["']/.exec(text)?.[1];
    return {
      task: fatName,
      programs: [jar(`build/libs/${stem}${classifier === undefined || classifier === '' ? '' : `-${classifier}`}.jar`)],
      says: 'makes a jar with everything inside',
    };
  }
  const says = /Main-Class/.test(text) ? 'makes a jar that names its main class' : null;
  const hasOwnSources = main !== null || says !== null;
  return {
    task: 'assemble',
    programs: hasOwnSources ? [jar(`build/libs/${stem}.jar`)] : [],
    says: build.root === dir || hasOwnSources ? says : null,
  };
}

/** The first block whose head matches, '' when there is none. */
function blockOf(text: string, head: RegExp): string {
  const index = text.search(head);
  return index < 0 ? '' : blockAt(text, index);
}

function archiveStem(view: FileView, { dir, build, name, text, shared }: Given): string {
  const base = /\barchives(?:BaseName|Name)\s*(?:=|\.set\()\s*["']([^"'$]+)["']/.exec(text)?.[1] ?? name;
  const root = withoutComments(view.read(buildFile(view, build.root) ?? '') ?? '');
  const version = versionOf(view, [dir, build.root], [text, shared, root]);
  return version === null ? base : `${base}-${version}`;
}

/** `build/libs/…` as a jar task's own settings call it. */
function archivePath(block: string, stem: string, classifier: string | null): string {
  const setting = (name: string) =>
    new RegExp(String.raw`\b${name}\s*(?:\.set\s*\(|=|\s)\s*["']([^"'$]*)["']`).exec(block)?.[1];
  const file = setting('archiveFileName') ?? setting('archiveName');
  if (file !== undefined) return `build/libs/${file}`;
  const suffix = setting('archiveClassifier') ?? setting('classifier') ?? classifier ?? '';
  const base = setting('archiveBaseName') ?? setting('baseName');
  const own = setting('archiveVersion');
  const dash = stem.search(/-(?=\d)/);
  const version = own ?? (dash < 0 ? '' : stem.slice(dash + 1));
  const name =
    base === undefined && own === undefined
      ? stem
      : [base ?? (dash < 0 ? stem : stem.slice(0, dash)), version].filter((part) => part !== '').join('-');
  return `build/libs/${name}${suffix === '' ? '' : `-${suffix}`}.jar`;
}
