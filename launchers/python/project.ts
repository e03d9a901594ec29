/** What we use of a Python project's files: pyproject.toml, else setup.cfg and setup.py, else nothing but its sources. */

import { asFields, asString, asStrings, type Fields, isFields, readManifest } from '../parse.ts';
import { dirname, isBelow, join, upwards } from '../paths.ts';
import type { FileView, Refusal } from '../plan.ts';
import { fromPoetry, nameOf } from './names.ts';
import { type Listed, readConda, readPipfile, readPixi, requirementLines, requirementsFile } from './requirements.ts';
import { readSetup } from './setup.ts';

export interface ConsoleScript {
  readonly name: string;
  /** `package.module:function`, or null when only its name is known. */
  readonly target: string | null;
}

export interface PythonProject {
  /** Distribution name, '' when unknown. */
  readonly name: string;
  /** File that says so. */
  readonly file: string;
  readonly pyproject: Fields | null;
  /** PEP 440 specifier, null when it takes any Python. */
  readonly requiresPython: string | null;
  readonly scripts: readonly ConsoleScript[];
  /** Requirement lines that are always installed, as written. */
  readonly requirements: readonly string[];
  /** Requirement lines by extra, and by dependency group (other than those for development). */
  readonly extras: Readonly<Record<string, readonly string[]>>;
  readonly groups: Readonly<Record<string, readonly string[]>>;
  /** A requirements file, when there is one. */
  readonly requirementsFile: string | null;
  /** Requirements in files that uv does not read; empty lists are left out. */
  readonly listed: readonly Listed[];
  /** True when an installer makes a package of it; false for sources that are run where they lie. */
  readonly isPackage: boolean;
  /** True when dependencies can be read without building (`[project]` with a static list). */
  readonly hasProjectTable: boolean;
  /** `[tool.poetry]` holds name and dependencies. */
  readonly isPoetry: boolean;
  /** Console scripts may be known only once it is built. */
  readonly hasDynamicScripts: boolean;
}

export function readProject(view: FileView, dir: string): PythonProject | Refusal {
  const file = join(dir, 'pyproject.toml');
  const parsed = readManifest(view, file);
  if (parsed !== null && !parsed.ok) return parsed.refusal;
  const pyproject = parsed?.fields ?? null;
  const project = asFields(pyproject?.project);
  const tool = asFields(pyproject?.tool);
  const poetry = asFields(tool.poetry);
  const hasSetup = ['setup.py', 'setup.cfg'].some((name) => view.files.includes(join(dir, name)));
  const setup = hasSetup ? readSetup(view, dir) : null;
  const isPoetry = isFields(tool.poetry) && ('dependencies' in poetry || 'name' in poetry);
  const hasProjectTable = isFields(pyproject?.project);
  const scripts = consoleScripts(project.scripts).concat(consoleScripts(poetry.scripts));
  const uvPackage = asFields(tool.uv).package;
  const requirementsPath = requirementsFile(view, dir);
  const listed = [readPipfile(view, dir), readConda(view, dir), readPixi(view, dir, pyproject)].filter(
    (each): each is Listed => each !== null && each.lines.length > 0,
  );
  const dynamic = asStrings(project.dynamic);
  return {
    name: asString(project.name) ?? asString(poetry.name) ?? setup?.name ?? '',
    file:
      pyproject !== null
        ? file
        : hasSetup
          ? join(dir, view.files.includes(join(dir, 'setup.py')) ? 'setup.py' : 'setup.cfg')
          : (requirementsPath ?? listed[0]?.file ?? ''),
    pyproject,
    requiresPython:
      requiresPython(project, poetry) ??
      setup?.requiresPython ??
      listed.map((each) => each.requiresPython).find((each) => each !== null) ??
      null,
    scripts: scripts.length > 0 ? scripts : (setup?.scripts ?? []),
    requirements: [
      ...asStrings(project.dependencies),
      ...poetryLines(poetry.dependencies),
      ...(setup?.requirements ?? []),
      ...(requirementsPath === null ? [] : requirementLines(view, requirementsPath)),
      ...dynamicFiles(tool).flatMap((name) => requirementLines(view, join(dir, name))),
      ...listed.flatMap(({ lines }) => lines),
    ],
    extras: { ...lists(project['optional-dependencies']), ...lists(poetry.extras), ...(setup?.extras ?? {}) },
    groups: withoutDevelopment({ ...lists(pyproject?.['dependency-groups']), ...poetryGroups(poetry.group) }),
    requirementsFile: requirementsPath,
    listed,
    isPackage:
      typeof uvPackage === 'boolean'
        ? uvPackage
        : poetry['package-mode'] === false
          ? false
          : isFields(pyproject?.['build-system']) || setup?.isPackage === true,
    hasProjectTable,
    isPoetry,
    hasDynamicScripts: dynamic.includes('scripts') || dynamic.includes('entry-points'),
  };
}

const lists = (value: unknown): Record<string, readonly string[]> =>
  Object.fromEntries(Object.entries(asFields(value)).map(([name, lines]) => [name, asStrings(lines)]));

/** Groups that exist to work on the project, by the names that people give them. */
const DEVELOPMENT =
  /^(dev|develop|development|tests?|testing|lint|linting|typing|types?|docs?|format|ci|build|release|bench.*|examples?)$/;

const withoutDevelopment = (groups: Readonly<Record<string, readonly string[]>>) =>
  Object.fromEntries(Object.entries(groups).filter(([name]) => !DEVELOPMENT.test(name)));

/** `name = "^1.2"` and `name = {version = "^1.2", extras = ["x"]}` as requirement lines; Python itself is none. */
const poetryLines = (value: unknown): string[] =>
  Object.entries(asFields(value)).flatMap(([name, wanted]) => {
    const { version, optional } = asFields(wanted);
    if (name === 'python' || optional === true) return [];
    return [name + fromPoetry(asString(wanted) ?? asString(version) ?? '*')];
  });

const poetryGroups = (value: unknown): Record<string, readonly string[]> =>
  Object.fromEntries(
    Object.entries(asFields(value)).map(([name, group]) => [name, poetryLines(asFields(group).dependencies)]),
  );

/** setuptools: `dynamic = ["dependencies"]`, and a file that lists them. */
const dynamicFiles = (tool: Fields): string[] => {
  const { file } = asFields(asFields(asFields(tool.setuptools).dynamic).dependencies);
  return typeof file === 'string' ? [file] : asStrings(file);
};

const requiresPython = (project: Fields, poetry: Fields): string | null => {
  const python = asFields(poetry.dependencies).python;
  return asString(project['requires-python']) ?? asString(python) ?? null;
};

/** `name = "module:function"`; Poetry also takes `{reference = "…", type = "console"}`. */
const consoleScripts = (value: unknown): ConsoleScript[] =>
  Object.entries(asFields(value)).map(([name, target]) => ({
    name,
    target: asString(target) ?? asString(asFields(target).reference) ?? asString(asFields(target).callable),
  }));

/** With the requirements file beside what is started, where the project's own folder lists nothing. */
export function withNearestList(
  view: FileView,
  dir: string,
  project: PythonProject,
  source: string | null,
): PythonProject {
  if (source === null || project.requirements.length > 0) return project;
  const file = upwards(dirname(source))
    .filter((folder) => folder !== dir && isBelow(folder, dir))
    .map((folder) => requirementsFile(view, folder))
    .find((each) => each !== null);
  return file == null ? project : { ...project, requirementsFile: file, requirements: requirementLines(view, file) };
}

/** The first of these distributions that is required, with any extra or group. */
export const dependsOn = (project: PythonProject, names: readonly string[]): string | null =>
  allRequirements(project)
    .map(nameOf)
    .find((name) => names.includes(name)) ?? null;

const SDKS = ['mcp', 'fastmcp', 'fastapi-mcp', 'fastmcp-slim', 'mcp-server', 'mcp-types', 'django-mcp-server'];

/** A package to write MCP servers with; those for clients are none. */
export function sdkOf(project: PythonProject): string | null {
  const all = allRequirements(project).map(nameOf);
  return (
    all.find((name) => SDKS.includes(name)) ??
    all.find((name) => /(^|-)(fast)?mcp(-|$)/.test(name) && !/adapter|client|mcp-use|mcp-agent|inspector/.test(name)) ??
    null
  );
}

const allRequirements = ({ requirements, extras, groups }: PythonProject): string[] => [
  ...requirements,
  ...Object.values(extras).flat(),
  ...Object.values(groups).flat(),
];
