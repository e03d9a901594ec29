/** A pom.xml with what it inherits from the poms above it in the tree; what lies in repositories is not looked up. */

import { dirname, join } from '../paths.ts';
import type { FileView, Refusal } from '../plan.ts';
import { badManifest } from '../refusal.ts';
import { childrenOf, descendantsOf, parseXml, textOf, type XmlElement } from '../xml.ts';

export interface Pom {
  readonly file: string;
  readonly artifactId: string;
  /** `jar` unless it says otherwise; `pom` for one that only gathers modules. */
  readonly packaging: string;
  /** Folders below the pom's own. */
  readonly modules: readonly string[];
  /** `<finalName>`, else artifact and version, as the jar in `target/` is called. */
  readonly finalName: string;
  /** `group:artifact` of everything but tests, inherited ones too. */
  readonly dependencies: readonly string[];
  /** Artifact of the parent that lies in no folder here (`spring-boot-starter-parent`), with its version; null for none. */
  readonly outerParent: { readonly artifactId: string; readonly version: string } | null;
  /** A property with everything in it filled in; null when nothing says it. */
  property(name: string): string | null;
  /** Settings of a build plugin, the nearest first: its own, those of its executions, managed ones; [] when it isn't used. */
  plugin(artifactId: string): readonly XmlElement[];
  /** Text with its `${…}` filled in as far as they are known. */
  fill(text: string): string;
}

/** Poms that one inherits from in a tree; more is a circle. */
const MAX_PARENTS = 8;

/** Null when the folder has no pom.xml. */
export function readPom(view: FileView, dir: string): Pom | Refusal | null {
  const file = join(dir, 'pom.xml');
  if (!view.files.includes(file)) return null;
  const text = view.read(file);
  if (text === undefined) return badManifest(file, 'is too large or not readable');
  const parsed = parseXml(text);
  if (!parsed.ok) return badManifest(`${file}:${parsed.line}`, `is not valid XML: ${parsed.problem}`);
  if (parsed.root.name !== 'project')
    return badManifest(file, `holds <${parsed.root.name}> where <project> is expected`);
  const own = parsed.root;
  const chain = [own, ...parentsOf(view, file, own)];
  const outer = childrenOf(chain.at(-1), 'parent')[0];
  const fill = filler(chain);
  const first = (...path: readonly string[]): string | null => {
    for (const pom of chain) {
      const found = textOf(pom, ...path);
      if (found !== null) return fill(found);
    }
    return null;
  };
  const artifactId = fill(textOf(own, 'artifactId') ?? '');
  const version = fill(textOf(own, 'version') ?? first('version') ?? textOf(outer, 'version') ?? '');
  return {
    file,
    artifactId,
    packaging: fill(textOf(own, 'packaging') ?? 'jar'),
    modules: childrenOf(own, 'modules', 'module').map(({ text: module }) => fill(module)),
    finalName: first('build', 'finalName') ?? `${artifactId}-${version}`,
    dependencies: chain.flatMap((pom) => dependenciesOf(pom, fill)),
    outerParent:
      outer === undefined
        ? null
        : { artifactId: textOf(outer, 'artifactId') ?? '', version: fill(textOf(outer, 'version') ?? '') },
    property: (name) => {
      const filled = fill(`\${${name}}`);
      return filled === `\${${name}}` || filled === '' ? null : filled;
    },
    plugin: (name) => pluginParts(chain, name),
    fill,
  };
}

/** Parents that lie in the tree, nearest first: `relativePath`, by default the folder above. */
function parentsOf(view: FileView, file: string, pom: XmlElement): XmlElement[] {
  const parents: XmlElement[] = [];
  let at = file;
  for (let child = pom; parents.length < MAX_PARENTS; ) {
    const [parent] = childrenOf(child, 'parent');
    if (parent === undefined) break;
    const [relativePath] = childrenOf(parent, 'relativePath');
    // `<relativePath/>` says that it is in no folder.
    if (relativePath?.text === '') break;
    const path = join(dirname(at), relativePath?.text ?? '../pom.xml');
    at = path.endsWith('.xml') ? path : join(path, 'pom.xml');
    const parsed = parseXml(view.read(at) ?? '');
    if (!parsed.ok || textOf(parsed.root, 'artifactId') !== textOf(parent, 'artifactId')) break;
    parents.push(parsed.root);
    child = parsed.root;
  }
  return parents;
}

/** Fills in properties, nearest pom first, and what every pom knows of itself. */
function filler(chain: readonly XmlElement[]): (text: string) => string {
  const values = new Map<string, string>();
  const add = (name: string, value: string | null) => {
    if (value !== null && !values.has(name)) values.set(name, value);
  };
  for (const pom of chain) {
    for (const { name, text } of childrenOf(pom, 'properties')[0]?.children ?? []) add(name, text);
  }
  const outer = childrenOf(chain.at(-1), 'parent')[0];
  for (const field of ['artifactId', 'version', 'groupId', 'name']) {
    const own = chain.map((pom) => textOf(pom, field)).find((value) => value !== null) ?? textOf(outer, field);
    add(`project.${field}`, own ?? null);
    add(`project.parent.${field}`, textOf(chain[0], 'parent', field));
    add(`pom.${field}`, own ?? null);
  }
  const fill = (text: string, depth: number): string =>
    depth === 0
      ? text
      : text.replaceAll(/\$\{([^${}]+)\}/g, (whole, name: string) => {
          const value = values.get(name);
          return value === undefined || value === whole ? whole : fill(value, depth - 1);
        });
  return (text) => fill(text, 5).trim();
}

const dependenciesOf = (pom: XmlElement, fill: (text: string) => string): string[] =>
  childrenOf(pom, 'dependencies', 'dependency')
    .filter((each) => textOf(each, 'scope') !== 'test' && textOf(each, 'type') !== 'pom')
    .map((each) => fill(`${textOf(each, 'groupId') ?? ''}:${textOf(each, 'artifactId') ?? ''}`));

function pluginParts(chain: readonly XmlElement[], name: string): XmlElement[] {
  const named = (plugins: readonly XmlElement[]) => plugins.filter((each) => textOf(each, 'artifactId') === name);
  const used = chain.flatMap((pom) => [
    ...named(childrenOf(pom, 'build', 'plugins', 'plugin')),
    ...childrenOf(pom, 'profiles', 'profile')
      .filter((profile) => textOf(profile, 'activation', 'activeByDefault') === 'true')
      .flatMap((profile) => named(childrenOf(profile, 'build', 'plugins', 'plugin'))),
  ]);
  if (used.length === 0) return [];
  return [...used, ...chain.flatMap((pom) => named(childrenOf(pom, 'build', 'pluginManagement', 'plugins', 'plugin')))];
}

/** The first value of an element of that name anywhere in a plugin's settings, filled in. */
export function pluginSetting(pom: Pom, plugin: string, name: string): string | null {
  for (const part of pom.plugin(plugin)) {
    const found = descendantsOf(part, name).find(({ text }) => text !== '');
    if (found !== undefined) return pom.fill(found.text);
  }
  return null;
}

/** True when the plugin runs that goal by itself. */
export const runsGoal = (pom: Pom, plugin: string, goal: string): boolean =>
  pom
    .plugin(plugin)
    .some((part) => childrenOf(part, 'executions', 'execution', 'goals', 'goal').some(({ text }) => text === goal));
