/** What we use of a Python project's files: pyproject.toml, else setup.cfg and setup.py, else nothing but its sources. */

import { asFields, asString, asStrings, type Fields, isFields, readManifest } from '../parse.ts';
import { join } from '../paths.ts';
import type { FileView, Refusal } from '../plan.ts';

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
  /** Requirement lines of all kinds, as written. */
  readonly requirements: readonly string[];
  /** True when an installer makes a package of it; false for sources that are run where they lie. */
  readonly isPackage: boolean;
  /** True when dependencies can be read without building (`[project]` with a static list). */
  readonly hasProjectTable: boolean;
  /** `[tool.poetry]` holds name and dependencies. */
  readonly isPoetry: boolean;
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
  return {
    name: asString(project.name) ?? asString(poetry.name) ?? setup?.name ?? '',
    file:
      pyproject !== null
        ? file
        : hasSetup
          ? join(dir, view.files.includes(join(dir, 'setup.py')) ? 'setup.py' : 'setup.cfg')
          : join(dir, 'requirements.txt'),
    pyproject,
    requiresPython: requiresPython(project, poetry) ?? setup?.requiresPython ?? null,
    scripts: scripts.length > 0 ? scripts : (setup?.scripts ?? []),
    requirements: [
      ...asStrings(project.dependencies),
      ...Object.values(asFields(project['optional-dependencies'])).flatMap(asStrings),
      ...Object.keys(asFields(poetry.dependencies)),
      ...(setup?.requirements ?? []),
      ...requirementLines(view, dir),
    ],
    isPackage:
      typeof uvPackage === 'boolean'
        ? uvPackage
        : poetry['package-mode'] === false
          ? false
          : isFields(pyproject?.['build-system']) || setup?.isPackage === true,
    hasProjectTable,
    isPoetry,
  };
}

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

/** setup.py is code and is not run here; its usual literals are read as text. The installed truth comes with `resolve`. */
function readSetup(view: FileView, dir: string) {
  const python = view.read(join(dir, 'setup.py')) ?? '';
  const config = view.read(join(dir, 'setup.cfg')) ?? '';
  const isPackage = /\bsetup\s*\(/.test(python) || /^\[(metadata|options)\]/m.test(config);
  const entries = /console_scripts["']?\s*[:=]\s*\[([^\]]*)\]/.exec(python)?.[1] ?? '';
  const section = /^console_scripts\s*=\s*\n((?:[ \t]+.*\n?)*)/m.exec(config)?.[1] ?? '';
  const scripts = [...`${entries}\n${section}`.matchAll(/["'\s]([\w.-]+)\s*=\s*([\w.]+:[\w.]+)/g)];
  return {
    isPackage,
    name: /\bname\s*=\s*["']([\w.-]+)["']/.exec(python)?.[1] ?? /^name\s*=\s*([\w.-]+)/m.exec(config)?.[1] ?? null,
    requiresPython:
      /\bpython_requires\s*=\s*["']([^"']+)["']/.exec(python)?.[1] ??
      /^python_requires\s*=\s*(.+)$/m.exec(config)?.[1]?.trim() ??
      null,
    scripts: scripts.map(([, name = '', target = '']) => ({ name, target })),
    requirements: [
      ...[...(/install_requires\s*=\s*\[([^\]]*)\]/.exec(python)?.[1] ?? '').matchAll(/["']([^"']+)["']/g)].map(
        (match) => match[1] ?? '',
      ),
      ...(/^install_requires\s*=\s*\n((?:[ \t]+.*\n?)*)/m.exec(config)?.[1] ?? '')
        .split('\n')
        .map((line) => line.trim()),
    ].filter((line) => line !== ''),
  };
}

export const requirementsFile = (view: FileView, dir: string): string | null =>
  ['requirements.txt', 'requirements/prod.txt', 'requirements/base.txt', 'requirements.in']
    .map((name) => join(dir, name))
    .find((file) => view.files.includes(file)) ?? null;

function requirementLines(view: FileView, dir: string): string[] {
  const file = requirementsFile(view, dir);
  return (file === null ? '' : (view.read(file) ?? ''))
    .split(/\r?\n/)
    .map((line) => line.replace(/#.*$/, '').trim())
    .filter((line) => line !== '' && !line.startsWith('-'));
}

/** PEP 503: `Mcp_Server.Time` → `mcp-server-time`. */
export const normalName = (name: string): string => name.toLowerCase().replaceAll(/[-_.]+/g, '-');

/** Distribution that a requirement line names. */
export const nameOf = (requirement: string): string => normalName(/^[\w.-]+/.exec(requirement.trim())?.[0] ?? '');

export const dependsOn = ({ requirements }: PythonProject, names: readonly string[]): string | null =>
  requirements.map(nameOf).find((name) => names.includes(name)) ?? null;

/** Packages with which MCP servers are written. */
export const sdkOf = (project: PythonProject): string | null =>
  dependsOn(project, [
    'mcp',
    'fastmcp',
    'mcp-server',
    'fastapi-mcp',
    'modelcontextprotocol',
    'python-mcp',
    'mcp-use',
    'awslabs-mcp-lambda-handler',
  ]);
