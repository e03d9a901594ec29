/**
 * Locks that uv does not read, as the requirements that they pin: installing those through uv needs neither the program
 * that wrote the lock nor its own view of the index.
 */

import { asFields, asString, asStrings, type Fields } from '../parse.ts';
import { join } from '../paths.ts';
import type { FileView } from '../plan.ts';
import { jsonFields, tomlFields } from './fields.ts';
import { nameOf, normalName } from './names.ts';
import type { PythonProject } from './project.ts';
import { indexesOf, pipfileLine } from './requirements.ts';

export interface Pins {
  readonly file: string;
  /** Whose lock it is: `Poetry’s`, `PDM’s`, `Pipenv’s`. */
  readonly owner: string;
  readonly lines: readonly string[];
  readonly indexes: readonly string[];
  /** PEP 440, as the lock says. */
  readonly requiresPython: string | null;
}

/** The lock of a project that is not uv's own; null when there is none, or it can't be read. */
export function readPins(view: FileView, dir: string, project: PythonProject): Pins | null {
  const pins = readPoetryLock(view, dir, project) ?? readPdmLock(view, dir, project) ?? readPipfileLock(view, dir);
  // PDM lists a package once more for each of its extras.
  return pins === null ? null : { ...pins, lines: [...new Set(pins.lines)] };
}

function readPipfileLock(view: FileView, dir: string): Pins | null {
  const file = join(dir, 'Pipfile.lock');
  const fields = jsonFields(view.read(file));
  if (fields === null) return null;
  const meta = asFields(fields._meta);
  const version = asString(asFields(meta.requires).python_version);
  const lines = Object.entries(asFields(fields.default)).flatMap(([name, value]) => pipfileLine(name, value) ?? []);
  return {
    file,
    owner: 'Pipenv’s',
    lines,
    indexes: indexesOf(meta.sources),
    requiresPython: version === null ? null : `==${version}.*`,
  };
}

function readPdmLock(view: FileView, dir: string, project: PythonProject): Pins | null {
  const file = join(dir, 'pdm.lock');
  const packages = packagesOf(view, file);
  if (packages === null) return null;
  const wanted = packages.some((each) => 'groups' in each)
    ? packages.filter((each) => asStrings(each.groups).includes('default'))
    : reachable(packages, project.requirements.map(nameOf), (each) => asStrings(each.dependencies).map(nameOf));
  const { tool } = project.pyproject ?? {};
  return {
    file,
    owner: 'PDM’s',
    lines: wanted.flatMap((each) => {
      const git = asString(each.git);
      const revision = asString(each.revision) ?? asString(each.ref);
      const marker = asString(each.marker);
      const tail = marker === null ? '' : ` ; ${marker}`;
      if (git !== null) return `${each.name} @ git+${git}${revision === null ? '' : `@${revision}`}${tail}`;
      return 'path' in each || 'url' in each ? [] : `${each.name}==${each.version}${tail}`;
    }),
    indexes: indexesOf(asFields(asFields(tool).pdm).source),
    requiresPython: null,
  };
}

function readPoetryLock(view: FileView, dir: string, project: PythonProject): Pins | null {
  const file = join(dir, 'poetry.lock');
  const packages = packagesOf(view, file);
  if (packages === null || project.pyproject === null) return null;
  const wanted = packages.some((each) => 'groups' in each)
    ? packages.filter((each) => asStrings(each.groups).includes('main') && each.optional !== true)
    : reachable(packages, project.requirements.map(nameOf), (each) =>
        Object.entries(asFields(each.dependencies)).flatMap(([name, edge]) =>
          isRequired(edge) ? [normalName(name)] : [],
        ),
      );
  const { tool } = project.pyproject;
  return {
    file,
    owner: 'Poetry’s',
    lines: wanted.flatMap((each) => {
      const marker = asString(each.markers) ?? asString(asFields(each.markers).main);
      const tail = marker === null ? '' : ` ; ${marker}`;
      const source = asFields(each.source);
      const revision = asString(source.resolved_reference) ?? asString(source.reference);
      if (source.type === 'git')
        return `${each.name} @ git+${source.url}${revision === null ? '' : `@${revision}`}${tail}`;
      return source.type === 'directory' || source.type === 'file' ? [] : `${each.name}==${each.version}${tail}`;
    }),
    indexes: indexesOf(asFields(asFields(tool).poetry).source),
    requiresPython: null,
  };
}

type Locked = Fields & { readonly name: string; readonly version: string };

/** A megabyte and more is no lock that a text view shows; then the manifest is all there is. */
function packagesOf(view: FileView, file: string): Locked[] | null {
  const { package: list } = tomlFields(view.read(file)) ?? {};
  const packages: unknown[] = Array.isArray(list) ? list : [];
  const whole = packages.filter((each): each is Locked => {
    const { name, version } = asFields(each);
    return typeof name === 'string' && typeof version === 'string';
  });
  return whole.length === 0 ? null : whole;
}

/** Only what other systems need, or an extra does, is not followed. */
const isRequired = (edge: unknown): boolean => {
  const { optional, markers } = asFields(Array.isArray(edge) ? edge[0] : edge);
  const marker = asString(markers) ?? '';
  return (
    optional !== true &&
    !/extra ==|(sys_platform|platform_system) == "(win32|Windows)"|python_version < "3\.1?\d"/.test(marker)
  );
};

function reachable(
  packages: readonly Locked[],
  from: readonly string[],
  dependencies: (each: Locked) => readonly string[],
): Locked[] {
  const seen = new Set<string>();
  const queue = [...from];
  for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
    if (seen.has(name)) continue;
    seen.add(name);
    for (const each of packages) if (normalName(each.name) === name) queue.push(...dependencies(each));
  }
  return packages.filter(({ name }) => seen.has(normalName(name)));
}
