/** What Gradle build files say, read as text: both dialects, literals only; nothing is evaluated. */

import { asFields, asString, readManifest } from '../parse.ts';
import { basename, join, upwards } from '../paths.ts';
import type { FileView } from '../plan.ts';

/** Without comments; strings are kept, also those with `//` in them. */
export const withoutComments = (text: string): string =>
  text.replaceAll(
    /("""[\s\S]*?"""|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')|\/\/[^\n]*|\/\*[\s\S]*?\*\//g,
    (_, string) => string ?? ' ',
  );

/** A `build.gradle` or `build.gradle.kts` in the folder, by its path. */
export const buildFile = (view: FileView, dir: string): string | null =>
  ['build.gradle.kts', 'build.gradle'].map((name) => join(dir, name)).find((file) => view.files.includes(file)) ?? null;

export const settingsFile = (view: FileView, dir: string): string | null =>
  ['settings.gradle.kts', 'settings.gradle'].map((name) => join(dir, name)).find((file) => view.files.includes(file)) ??
  null;

export interface Catalog {
  /** `libs.mcp.kotlin.server` → `io.modelcontextprotocol:kotlin-sdk-server`. */
  module(accessor: string): string | null;
  /** `libs.plugins.shadow` → `com.gradleup.shadow`. */
  plugin(accessor: string): string | null;
  version(name: string): string | null;
}

/** `gradle/libs.versions.toml` of the build. */
export function readCatalog(view: FileView, root: string): Catalog {
  const parsed = readManifest(view, join(root, 'gradle/libs.versions.toml'));
  const { libraries, plugins, versions } = parsed?.ok ? parsed.fields : {};
  const accessor = (alias: string) => alias.replaceAll(/[-_]/g, '.');
  const modules = new Map<string, string>();
  for (const [alias, value] of Object.entries(asFields(libraries))) {
    const { module, group, name } = asFields(value);
    const coordinates =
      asString(value)?.split(':').slice(0, 2).join(':') ??
      asString(module) ??
      (asString(group) !== null && asString(name) !== null ? `${asString(group)}:${asString(name)}` : null);
    if (coordinates !== null) modules.set(accessor(alias), coordinates);
  }
  const ids = new Map<string, string>();
  for (const [alias, value] of Object.entries(asFields(plugins))) {
    const id = asString(value)?.split(':')[0] ?? asString(asFields(value).id);
    if (id !== null && id !== undefined) ids.set(accessor(alias), id);
  }
  return {
    module: (path) => modules.get(path.replace(/^libs\./, '')) ?? null,
    plugin: (path) => ids.get(path.replace(/^libs\.plugins\./, '')) ?? null,
    version: (name) => {
      const value = asFields(versions)[name];
      return asString(value) ?? asString(asFields(value).require) ?? asString(asFields(value).strictly);
    },
  };
}

/** Ids of the plugins that a build file applies; what it only puts at hand (`apply false`) is left out. */
export function pluginsOf(text: string, catalog: Catalog): string[] {
  const found: string[] = [];
  for (const line of text.split(/\n|;/)) {
    if (/\bapply\s*\(?\s*false\b/.test(line)) continue;
    const id =
      /\bid\s*\(?\s*["']([\w.-]+)["']/.exec(line)?.[1] ??
      /\bapply\s*\(?\s*plugin\s*[:=]\s*["']([\w.-]+)["']/.exec(line)?.[1];
    if (id !== undefined) found.push(id);
    const kotlin = /\bkotlin\s*\(\s*["']([\w.]+)["']\s*\)/.exec(line)?.[1];
    if (kotlin !== undefined) found.push(`org.jetbrains.kotlin.${kotlin}`);
    const alias = /\balias\s*\(?\s*(libs\.plugins\.[\w.]+)/.exec(line)?.[1];
    if (alias !== undefined) found.push(catalog.plugin(alias) ?? alias);
  }
  const block = /\bplugins\s*\{([^}]*)\}/.exec(text)?.[1] ?? '';
  for (const [, name = ''] of block.matchAll(/^\s*`?([a-z][\w-]*)`?\s*$/gm)) found.push(name);
  return [...new Set(found)];
}

/** The build file's plugins, and those of the convention plugins (`buildSrc`, `build-logic`) that it applies. */
export function allPlugins(view: FileView, text: string, catalog: Catalog): string[] {
  const direct = pluginsOf(text, catalog);
  const conventions = direct.flatMap((id) => {
    const file = view.files.find((each) => [`${id}.gradle.kts`, `${id}.gradle`].includes(basename(each)));
    return file === undefined ? [] : pluginsOf(withoutComments(view.read(file) ?? ''), catalog);
  });
  return [...new Set([...direct, ...conventions])];
}

/** `group:artifact` of all dependencies but those of tests. */
export function dependenciesOf(text: string, catalog: Catalog): string[] {
  const found: string[] = [];
  for (const line of text.split('\n')) {
    if (/^\s*(?:test|androidTest|integrationTest|jvmTest|commonTest)\w*\b|\bkotlin\("test/.test(line)) continue;
    for (const [, coordinates = ''] of line.matchAll(/["']([\w.-]+:[\w.${}-]+)(?::[^"']*)?["']/g))
      found.push(coordinates);
    for (const [, accessor = ''] of line.matchAll(/\b(libs\.(?!plugins\b|versions\b|bundles\b)[\w.]+)/g)) {
      const module = catalog.module(accessor);
      if (module !== null) found.push(module);
    }
    const { group, name } =
      /group\s*[:=]\s*["'](?<group>[^"']+)["']\s*,\s*name\s*[:=]\s*["'](?<name>[^"']+)["']/.exec(line)?.groups ?? {};
    if (group !== undefined && name !== undefined) found.push(`${group}:${name}`);
  }
  return [...new Set(found)];
}

/** Value of a literal, or of a variable that one is put into: `val mainName = "com.acme.MainKt"`. */
export function literal(text: string, expression: string): string | null {
  const quoted = /^\s*["']([^"'$]+)["']/.exec(expression)?.[1];
  if (quoted !== undefined) return quoted;
  const name = /^\s*([A-Za-z_]\w*)/.exec(expression)?.[1];
  if (name === undefined) return null;
  return (
    new RegExp(String.raw`\b(?:val|def|var|String)\s+${name}\b[^=\n]*=\s*["']([^"'$]+)["']`).exec(text)?.[1] ?? null
  );
}

/** `version = "1.0"`, `version '1.0'`, or what gradle.properties says; null where it is computed. */
export function versionOf(view: FileView, dirs: readonly string[], texts: readonly string[]): string | null {
  for (const text of texts) {
    const found = /^\s*version\s*=?\s*\(?\s*(["'][^"']+["']|\w+)/m.exec(text)?.[1];
    const value = found === undefined ? null : literal(text, found);
    if (value !== null) return value;
  }
  for (const dir of dirs) {
    const value = /^\s*version\s*=\s*(\S+)/m.exec(view.read(join(dir, 'gradle.properties')) ?? '')?.[1];
    if (value !== undefined) return value;
  }
  return null;
}

export interface Build {
  /** Folder with the settings; the project's own when there are none. */
  readonly root: string;
  /** `rootProject.name`. */
  readonly name: string | null;
  /** Folder (below the tree) → path of the project in the build, `:server`. */
  readonly projects: ReadonlyMap<string, string>;
}

/** The build that a folder belongs to: the nearest settings above it. */
export function buildOf(view: FileView, dir: string): Build {
  const root = upwards(dir).find((folder) => settingsFile(view, folder) !== null) ?? dir;
  const text = withoutComments(view.read(settingsFile(view, root) ?? '') ?? '');
  const projects = new Map<string, string>();
  for (const [, list = ''] of text.matchAll(/\binclude\s*\(?((?:\s*["'][\w:./-]+["']\s*,?)+)/g)) {
    for (const [, path = ''] of list.matchAll(/["']([^"']+)["']/g)) {
      const parts = path.split(/[:/]/).filter((part) => part !== '');
      projects.set(join(root, ...parts), `:${parts.join(':')}`);
    }
  }
  for (const [, path = '', folder = ''] of text.matchAll(
    /project\(\s*["']:?([\w:-]+)["']\s*\)\.projectDir\s*=\s*(?:new\s+File|file)\(\s*(?:settingsDir\s*,\s*|rootDir\s*,\s*)?["']([^"']+)["']/g,
  )) {
    const name = `:${path.replace(/^:/, '')}`;
    for (const [dirOf, known] of projects) if (known === name) projects.delete(dirOf);
    projects.set(join(root, folder), name);
  }
  const name = /rootProject\.name\s*=\s*["']([^"']+)["']/.exec(text)?.[1] ?? null;
  return { root, name, projects };
}

/** From a block's name to its closing brace. */
export function blockAt(text: string, index: number): string {
  let depth = 0;
  for (let at = text.indexOf('{', index); at >= 0 && at < text.length; at++) {
    if (text[at] === '{') depth += 1;
    if (text[at] === '}' && --depth === 0) return text.slice(text.indexOf('{', index) + 1, at);
  }
  return text.slice(index);
}
