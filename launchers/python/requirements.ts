/** Lists of requirements that are not in pyproject.toml: requirements files, Pipfile, conda and pixi, a script's own header. */

import { asFields, asString, asStrings, type Fields, isFields, readManifest } from '../parse.ts';
import { basename, dirname, join } from '../paths.ts';
import type { FileView } from '../plan.ts';
import { tomlFields } from './fields.ts';
import { fromPoetry, nameOf } from './names.ts';
import { isStdlib } from './stdlib.ts';

/** Requirements as they stand in one file. */
export interface Listed {
  readonly file: string;
  readonly lines: readonly string[];
  /** PEP 440, null when the file says nothing of it. */
  readonly requiresPython: string | null;
  /** Package indexes that the file names besides the user's own; never one with a login. */
  readonly indexes: readonly string[];
  /** Those of them whose names are no guess. */
  readonly surer?: readonly string[];
}

const KINDS = ['prod', 'production', 'base', 'main', 'common', 'core', 'server', 'mcp', 'requirements'];
const USUAL = [
  'requirements.txt',
  ...KINDS.map((kind) => `requirements/${kind}.txt`),
  ...KINDS.flatMap((kind) => [`requirements-${kind}.txt`, `requirements_${kind}.txt`]),
  'requirements.in',
  'requirements.lock',
  // Misspelt often enough to be looked for.
  'requirement.txt',
  'requirments.txt',
];

/** The file with what the server needs; those for tests, documentation and development alone are none. */
export function requirementsFile(view: FileView, dir: string): string | null {
  const usual = USUAL.map((name) => join(dir, name)).find((file) => view.files.includes(file));
  if (usual !== undefined) return usual;
  const others = view.files.filter(
    (file) =>
      dirname(file) === dir &&
      /^requirements?[\w.-]*\.txt$/.test(basename(file)) &&
      !/dev|test|lint|docs?|bench|gpu|optional|constraint/.test(basename(file)),
  );
  return others.sort((a, b) => a.length - b.length || (a < b ? -1 : 1))[0] ?? null;
}

/** `pip freeze > requirements.txt` of PowerShell writes UTF-16, which uv does not read. */
export const isUtf16 = (text: string): boolean => text.includes('\u0000');

/** The requirement lines of a file and of those that it includes with `-r`; options and comments are left out. */
export function requirementLines(view: FileView, file: string, depth = 0): string[] {
  const text = (view.read(file) ?? '').replaceAll(/\u0000|\uFFFD|\uFEFF/g, '');
  return text.split(/\r?\n/).flatMap((raw) => {
    const line = raw
      .replace(/(^|\s)#.*$/, '')
      .replace(/\\\s*$/, '')
      .replace(/\s--hash=\S+/g, '')
      .trim();
    const included = /^(?:-r|--requirement)[\s=]+(\S+)$/.exec(line)?.[1];
    if (included !== undefined && depth < 3) return requirementLines(view, join(dirname(file), included), depth + 1);
    return line === '' || line.startsWith('-') ? [] : [line];
  });
}

const WINDOWS_ONLY = new Set(['pywin32', 'pywin32-ctypes', 'pywinpty', 'windows-curses', 'comtypes', 'pypiwin32']);

/** What a frozen list of another system, or one written by heart, holds that no index has for this one. */
export const isOutOfPlace = (line: string): boolean => {
  const name = nameOf(line);
  return WINDOWS_ONLY.has(name) ? !line.includes(';') : isStdlib(name) && name !== 'dataclasses' && name !== 'typing';
};

/** `[packages]` of a Pipfile. */
export function readPipfile(view: FileView, dir: string): Listed | null {
  const file = join(dir, 'Pipfile');
  const fields = tomlFields(view.read(file));
  if (fields === null) return null;
  const { python_version, python_full_version } = asFields(fields.requires);
  const version = asString(python_full_version) ?? asString(python_version);
  return {
    file,
    lines: Object.entries(asFields(fields.packages)).flatMap(([name, value]) => pipfileLine(name, value) ?? []),
    requiresPython: version === null ? null : `==${version}.*`,
    indexes: indexesOf(fields.source),
  };
}

/** One entry of a Pipfile or its lock; null for what can't be written as a requirement. */
export function pipfileLine(name: string, value: unknown): string | null {
  const fields = isFields(value) ? value : {};
  const extras = asStrings(fields.extras);
  const head = name + (extras.length > 0 ? `[${extras.join(',')}]` : '');
  const marker = asString(fields.markers);
  const tail = marker === null ? '' : ` ; ${marker}`;
  const git = asString(fields.git);
  if (git !== null) {
    const ref = asString(fields.ref);
    return `${head} @ ${git.startsWith('git+') ? git : `git+${git}`}${ref === null ? '' : `@${ref}`}${tail}`;
  }
  const path = asString(fields.path);
  if (path !== null) return /^\.*\/?$/.test(path) || path.startsWith('/') ? null : `./${join(path)}`;
  const url = asString(fields.file);
  if (url !== null) return /^https?:/.test(url) ? `${head} @ ${url}${tail}` : null;
  const version = asString(value) ?? asString(fields.version) ?? '*';
  return head + fromPoetry(version) + tail;
}

/** Indexes of a `[[source]]` list that are not the usual one and name no variable. */
export const indexesOf = (sources: unknown): string[] =>
  (Array.isArray(sources) ? sources : []).flatMap((each) => {
    const url = asString(asFields(each).url);
    const isUsual = url !== null && /\bpypi\.(org|python\.org)\b|pypi\/simple/.test(url);
    return url === null || isUsual || !/^https?:\/\/[^@$]+$/.test(url) ? [] : [url];
  });

const CONDA_FILES = ['environment.yml', 'environment.yaml', 'conda.yml', 'conda.yaml'];
/** Parts of a conda environment that are no Python packages, or come with the venv. */
const NOT_PYTHON =
  /^(python|pip|setuptools|wheel|conda|mamba|cudatoolkit|cuda.*|gcc.*|gxx.*|nodejs|git|openssl|libs?\w*)$/;

/** A conda environment: its pip list, and its packages under the names that the usual index mostly has them by. */
export function readConda(view: FileView, dir: string): Listed | null {
  const file = CONDA_FILES.map((name) => join(dir, name)).find((name) => view.files.includes(name));
  const parsed = file === undefined ? null : readManifest(view, file);
  if (file === undefined || !parsed?.ok) return null;
  const { dependencies } = parsed.fields;
  const entries = Array.isArray(dependencies) ? dependencies : [];
  const pip = entries.flatMap((each) => asStrings(asFields(each).pip)).filter((line) => !line.startsWith('-'));
  const conda = asStrings(entries).map((each) => each.replace(/^.*::/, '').trim());
  const python = conda.find((each) => /^python\b/.test(each));
  return {
    file,
    lines: [...conda.filter((each) => !NOT_PYTHON.test(nameOf(each))).map(fromConda), ...pip],
    surer: pip,
    requiresPython: python === undefined ? null : specifierFromConda(python) || null,
    indexes: [],
  };
}

const specifierFromConda = (spec: string): string => {
  const [, version = ''] = /^[\w.-]+\s*(.*)$/.exec(spec) ?? [];
  const plain = /^=?=?\s*(\d+(?:\.\d+)*)(?:\.\*)?(?:=.*)?$/.exec(version)?.[1];
  return plain === undefined ? version.replaceAll(/\s/g, '') : `==${plain}.*`;
};

/** `numpy=1.26=py311_0` → `numpy==1.26.*`. */
const fromConda = (spec: string): string => `${/^[\w.-]+/.exec(spec)?.[0] ?? spec}${specifierFromConda(spec)}`;

/** pixi: its `pypi-dependencies`, and conda ones under the same names. */
export function readPixi(view: FileView, dir: string, pyproject: Fields | null): Listed | null {
  const file = join(dir, 'pixi.toml');
  const own = tomlFields(view.read(file));
  const fields = own ?? (isFields(asFields(pyproject?.tool).pixi) ? asFields(asFields(pyproject?.tool).pixi) : null);
  if (fields === null) return null;
  const { dependencies, 'pypi-dependencies': pypi } = fields;
  const conda = Object.entries(asFields(dependencies));
  const python = conda.find(([name]) => name === 'python')?.[1];
  return {
    file: own === null ? join(dir, 'pyproject.toml') : file,
    lines: [
      ...conda
        .filter(([name]) => !NOT_PYTHON.test(nameOf(name)))
        .flatMap(([name, value]) => pipfileLine(name, value) ?? []),
      ...Object.entries(asFields(pypi)).flatMap(([name, value]) => pipfileLine(name, value) ?? []),
    ],
    requiresPython: asString(python) === null || python === '*' ? null : fromPoetry(asString(python) ?? ''),
    indexes: [],
  };
}

/** Characters from the top in which a header is looked for. */
const HEADER = 16_384;

/** PEP 723: the block `# /// script` at the head of a single file. */
export function readScriptHeader(view: FileView, file: string): Listed | null {
  const block = /^# \/\/\/ script\s*\n((?:#(?: .*)?\n)+?)# \/\/\/\s*$/m.exec(
    (view.read(file) ?? '').slice(0, HEADER),
  )?.[1];
  const fields = tomlFields(block?.replaceAll(/^# ?/gm, ''));
  if (fields === null) return null;
  return {
    file,
    lines: asStrings(fields.dependencies),
    requiresPython: asString(fields['requires-python']),
    indexes: [],
  };
}

const INSTALL_LINE =
  /(?:^|[\s`>$])(?:uv add|uv pip install|(?:python3?|py) -m pip install|pip3? install)[ \t]+([^\n`&|;#]+)/gm;

/** Packages that the README tells to install (`pip install "mcp[cli]" httpx`), where no file lists them. */
export function readReadme(view: FileView, dir: string): Listed | null {
  const file = join(dir, 'README.md');
  const lines = [...(view.read(file) ?? '').matchAll(INSTALL_LINE)]
    .flatMap(([, words = '']) => words.trim().split(/\s+/))
    .map((word) => word.replaceAll(/["'‘’“”]/g, ''))
    .filter(
      (word) => /^[A-Za-z][\w.-]*(\[[\w,-]+\])?([<>=!~]=?[\w.*,<>=]+)?$/.test(word) && !/\.(txt|toml|whl)$/.test(word),
    );
  return lines.length === 0 ? null : { file, lines: [...new Set(lines)], requiresPython: null, indexes: [] };
}
