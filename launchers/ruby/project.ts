/** What we use of a Ruby project's files: Gemfile or gems.rb, its lock, the gemspec. They are code, and are read as text. */

import { basename, dirname, join, relative, upwards } from '../paths.ts';
import type { FileView } from '../plan.ts';

/** Where gems go, below the project. */
export const GEMS = 'vendor/bundle';

export interface RubyProject {
  /** File that says most: the gemspec, else the Gemfile; where there is neither, the Gemfile that would be it. */
  readonly file: string;
  /** Gem name, '' when it is none. */
  readonly name: string;
  /** Gemfile or gems.rb, of the folder or of one above it, where Bundler looks too; null when there is none. */
  readonly gemfile: string | null;
  /** Gemfile.lock or gems.locked; null when there is none. */
  readonly lock: string | null;
  readonly gemspec: string | null;
  /** Names of all gems that it asks for itself. */
  readonly gems: readonly string[];
  /** Semver range of what Bundler will insist on, with the file that says so; null when it takes any Ruby. */
  readonly requiresRuby: { readonly range: string; readonly file: string } | null;
  /** What `.ruby-version` and its like name: a preference of the authors' machines. */
  readonly prefersRuby: { readonly version: string; readonly file: string } | null;
  /** Programs that the gemspec names, and the folder that they are in. */
  readonly executables: readonly string[];
}

export function readProject(view: FileView, dir: string): RubyProject {
  const gemspec = gemspecOf(view, dir);
  const folders = gemspec === null ? upwards(dir) : [dir];
  const gemfile = folders.map((folder) => gemfileOf(view, folder)).find((file) => file !== null) ?? null;
  const gemfileText = gemfile === null ? '' : withoutComments(view.read(gemfile) ?? '');
  const gemspecText = gemspec === null ? '' : withoutComments(view.read(gemspec) ?? '');
  return {
    file: gemspec ?? gemfile ?? join(dir, 'Gemfile'),
    name:
      /\.name\s*=\s*["']([\w.-]+)["']/.exec(gemspecText)?.[1] ??
      (gemspec === null ? '' : basename(gemspec).replace(/\.gemspec$/, '')),
    gemfile,
    lock: gemfile === null ? null : lockOf(view, gemfile),
    gemspec,
    gems: [...gemsOfGemfile(gemfileText), ...gemsOfGemspec(gemspecText)],
    requiresRuby: requiresRuby(view, dir, { gemfile, gemfileText, gemspec, gemspecText }),
    prefersRuby: prefersRuby(view, dir),
    executables: gemspec === null ? [] : executablesOf(view, dir, gemspecText),
  };
}

export const gemfileOf = (view: FileView, dir: string): string | null =>
  ['Gemfile', 'gems.rb'].map((name) => join(dir, name)).find((file) => view.files.includes(file)) ?? null;

function lockOf(view: FileView, gemfile: string): string | null {
  const lock = join(dirname(gemfile), basename(gemfile) === 'gems.rb' ? 'gems.locked' : 'Gemfile.lock');
  return view.files.includes(lock) ? lock : null;
}

export const gemspecOf = (view: FileView, dir: string): string | null =>
  view.files.find(
    (file) => file.endsWith('.gemspec') && !relative(dir, file).includes('/') && !relative(dir, file).startsWith('..'),
  ) ?? null;

const withoutComments = (text: string): string => text.replaceAll(/^\s*#.*$/gm, '');

const gemsOfGemfile = (text: string): string[] =>
  [...text.matchAll(/^\s*gem[\s(]+["']([\w.-]+)["']/gm)].map((match) => match[1] ?? '');

const gemsOfGemspec = (text: string): string[] =>
  [...text.matchAll(/\.add_(?:runtime_)?dependency[\s(]*["']([\w.-]+)["']/g)].map((match) => match[1] ?? '');

/** Gems with which MCP servers are written. */
const SDKS =
  /^(mcp|fast-mcp|fast_mcp|model[-_]context[-_]protocol(-rb)?|model-context-protocol|mcp-rb|mcp-sdk(\.rb)?|mcp-server|mcp_server|mcp_on_ruby|actionmcp|action_mcp|mcp-rails|rails-mcp|mcp_lite|ruby-mcp|vector_mcp|mcpeasy|tidewave)$/;

export const sdkOf = ({ gems }: RubyProject): string | null => gems.find((gem) => SDKS.test(gem)) ?? null;

function requiresRuby(
  view: FileView,
  dir: string,
  files: { gemfile: string | null; gemfileText: string; gemspec: string | null; gemspecText: string },
): RubyProject['requiresRuby'] {
  // An engine of another kind (`engine: "jruby"`) has its own numbers, and follows the language's.
  const directive = /^\s*ruby[\s(]+((?:["'][^"'\n]+["']\s*,?\s*)+|file:\s*["'][^"'\n]+["'])/m.exec(
    files.gemfileText,
  )?.[1];
  if (directive !== undefined && files.gemfile !== null) {
    const named = /file:\s*["']([^"']+)["']/.exec(directive)?.[1];
    const text = named === undefined ? directive : `"${versionIn(view.read(join(dir, named)) ?? '') ?? ''}"`;
    const range = toSemver(quotedIn(text));
    if (range !== null) return { range, file: files.gemfile };
  }
  const required = /\.required_ruby_version\s*=\s*([^\n]+)/.exec(files.gemspecText)?.[1];
  const range = required === undefined ? null : toSemver(quotedIn(required));
  return range === null || files.gemspec === null ? null : { range, file: files.gemspec };
}

const quotedIn = (text: string): string[] => [...text.matchAll(/["']([^"']+)["']/g)].map((match) => match[1] ?? '');

/** `ruby-3.4.1`, `3.4.1`, `ruby 3.4.1` of .tool-versions. */
const versionIn = (text: string): string | null => /^(?:ruby[-\s]+)?(\d+(?:\.\d+)*)/m.exec(text)?.[1] ?? null;

function prefersRuby(view: FileView, dir: string): RubyProject['prefersRuby'] {
  for (const file of ['.ruby-version', '.tool-versions'].map((name) => join(dir, name))) {
    const text = view.files.includes(file) ? (view.read(file) ?? '') : '';
    const version = file.endsWith('.tool-versions') ? (/^ruby\s+(\d[\d.]*)/m.exec(text)?.[1] ?? null) : versionIn(text);
    if (version !== null) return { version, file };
  }
  return null;
}

/** `~> 3.1` takes 3.9 and not 4, `~> 3.1.2` takes 3.1.9 and not 3.2; a bare version is that one. Null for what is none. */
export function toSemver(requirements: readonly string[]): string | null {
  const clauses = requirements.flatMap((requirement) => {
    const match = /^\s*(~>|>=|<=|!=|=|>|<)?\s*(\d+(?:\.\d+)*)/.exec(requirement);
    if (match === null) return [];
    const [, operator = '=', version = ''] = match;
    const parts = version.split('.').map(Number);
    const full = [...parts, 0, 0].slice(0, 3).join('.');
    if (operator === '!=') return [];
    if (operator !== '~>') return operator === '=' ? [parts.length < 3 ? parts.join('.') : full] : [operator + full];
    const upper = parts.length < 3 ? `${(parts[0] ?? 0) + 1}.0.0` : `${parts[0]}.${(parts[1] ?? 0) + 1}.0`;
    return [`>=${full}`, `<${upper}`];
  });
  return clauses.length === 0 ? null : clauses.join(' ');
}

/** Literal names, else what lies in the folder that the gemspec lists. */
function executablesOf(view: FileView, dir: string, gemspec: string): string[] {
  const bindir = /\.bindir\s*=\s*["']([^"']+)["']/.exec(gemspec)?.[1] ?? 'bin';
  const value = /\.executables\s*(?:=|<<)\s*([^\n]*(?:\n\s+[^\n]*\])?)/.exec(gemspec)?.[1];
  if (value === undefined) return [];
  const words = /^%w[[({<]([^\])}>]*)/.exec(value)?.[1]?.trim().split(/\s+/);
  const list = words ?? (/^(\[|["'])/.test(value) ? quotedIn(value) : []);
  const named = list.map((name) => join(dir, bindir, name)).filter((file) => view.files.includes(file));
  if (named.length > 0) return named;
  return view.files.filter(
    (file) => file.startsWith(`${join(dir, bindir)}/`) && !relative(join(dir, bindir), file).includes('/'),
  );
}
