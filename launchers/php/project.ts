/** What we use of a PHP project's files: composer.json and its lock. */

import { unscoped } from '../identity.ts';
import { asFields, asString, asStrings, type Fields, readManifest } from '../parse.ts';
import { join } from '../paths.ts';
import type { FileView, Refusal } from '../plan.ts';

export interface PhpProject {
  /** composer.json; where there is none, the file that would be it. */
  readonly file: string;
  readonly hasComposer: boolean;
  /** Package name without its vendor, '' when it has none. */
  readonly name: string;
  readonly lock: string | null;
  /** A Composer that the repository carries. */
  readonly phar: string | null;
  /** Names of the packages that it requires, the platform (`php`, `ext-json`) left out. */
  readonly packages: readonly string[];
  /** Extensions that it requires, without `ext-`. */
  readonly extensions: readonly string[];
  /** Semver range of PHP; null takes any. */
  readonly requiresPhp: string | null;
  /** Programs that the package offers, as written. */
  readonly bin: readonly string[];
  readonly fields: Fields;
}

export function readProject(view: FileView, dir: string): PhpProject | Refusal {
  const file = join(dir, 'composer.json');
  const parsed = readManifest(view, file);
  if (parsed !== null && !parsed.ok) return parsed.refusal;
  const fields = parsed?.fields ?? {};
  const required = Object.keys(asFields(fields.require)).map((name) => name.toLowerCase());
  const at = (name: string) => (view.has(join(dir, name)) ? join(dir, name) : null);
  const php = asString(asFields(fields.require).php);
  const { bin } = fields;
  return {
    file,
    hasComposer: parsed !== null,
    name: unscoped(`@${asString(fields.name) ?? ''}`).replace(/^@/, ''),
    lock: at('composer.lock'),
    phar: at('composer.phar'),
    packages: required.filter((name) => name.includes('/')),
    extensions: required.flatMap((name) => (name.startsWith('ext-') ? [name.slice('ext-'.length)] : [])),
    requiresPhp: php === null ? null : toSemver(php),
    bin: typeof bin === 'string' ? [bin] : asStrings(bin),
    fields,
  };
}

/** Packages with which MCP servers are written. */
const SDKS =
  /^(mcp\/sdk|php-mcp\/(server|laravel)|logiscape\/mcp-sdk-php|laravel\/(mcp|boost)|symfony\/(mcp-sdk|mcp-bundle)|modelcontextprotocol\/(php-)?sdk|[\w.-]+\/((php|laravel|symfony)-)?mcp-(server|sdk)(-php)?|[\w.-]+\/php-mcp)$/;

export const sdkOf = ({ packages }: PhpProject): string | null => packages.find((name) => SDKS.test(name)) ?? null;

/**
 * Composer's dialect as semver's: `|` is `||`, a comma is a space, `~8.1` takes all of 8 (and `~8.1.2` all of 8.1), and a
 * stability (`@dev`) says nothing about PHP. Null for what nobody can read.
 */
export function toSemver(constraint: string): string | null {
  const alternatives = constraint.replaceAll(/@\w+/g, '').split(/\s*\|\|?\s*/);
  const ranges = alternatives.map((alternative) =>
    alternative
      .replaceAll(/(>=|<=|!=|<>|==|>|<|=|\^|~)\s+/g, '$1')
      .replaceAll(/\s+-\s+/g, ' - ')
      .replaceAll(/\s*,\s*/g, ' ')
      .split(' ')
      .filter((word) => word !== '' && !/^(!=|<>)/.test(word))
      .map((word) => /^~(\d+)\.(\d+)$/.exec(word)?.slice(1).join('.').replace(/^/, '^') ?? word.replace(/^==/, '='))
      .join(' '),
  );
  const readable = ranges.filter((range) => /\d/.test(range));
  return readable.length === 0 ? null : readable.join(' || ');
}
