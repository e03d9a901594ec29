/** The configuration file: read, understood whichever way it is written, and checked as a whole. */

import { readFile } from 'node:fs/promises';
import { isFields } from '../../actors/fields.ts';
import { PLUGIN_OPTIONS, toSpec } from '../config.ts';
import { SupervisorError, supervisorError } from '../errors.ts';
import type { Defaults, PluginOptions } from '../options.ts';
import type { Config, Path, Report } from './contracts.ts';
import { type Document, readDocument } from './document.ts';
import { type EntryParts, readEntry, readOption, withFolder } from './plugin-entry.ts';
import { readProfiles, readServer } from './server-section.ts';
import { findGroups } from './shape.ts';
import { unknownKey } from './unknown-key.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** Rejects with CONFIG_INVALID, which names file, line and key and what was expected there. */
export async function loadConfig(file: string, env: Env = process.env): Promise<Config> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    const why = error.code === 'ENOENT' ? 'there is no such file' : `it can not be read (${error.code})`;
    throw supervisorError('CONFIG_INVALID', {
      message: `${file}: ${why}.`,
      hint: 'Check the path, and that you may read it.',
      data: { file },
    });
  });
  return readConfig(text, file, env);
}

/** The same for a text that was read; `file` is what relative paths are relative to. */
export async function readConfig(text: string, file: string, env: Env = process.env): Promise<Config> {
  const document = await readDocument(text);
  if ('problem' in document) throw invalid(file, document.line, null, document.problem);
  const report = createReport(file, document);
  const { value } = document;
  const root = value ?? {};
  if (!isFields(root)) throw report.invalid([], 'expected an object');
  const isBlank = Object.keys(root).length === 0;
  if (isBlank) report.warn([], 'the file says nothing: there are no plugins');
  const server = readServer(root.server, ['server'], report);
  const profiles = readProfiles(root, server, report);
  const groups = findGroups(root, report);
  const defaults = readDefaults(root.defaults, report);
  const plugins: Record<string, PluginOptions> = {};
  for (const { path, entries, pasted } of groups) {
    const parts: EntryParts = { file, env, report: report, pasted };
    for (const [name, entry] of Object.entries(entries)) {
      const at = [...path, name];
      if (Object.hasOwn(plugins, name)) throw report.invalid(at, `there is a plugin '${name}' already`);
      const options = readEntry(entry, at, parts);
      if (options === null) continue;
      plugins[name] = withFolder(options, file);
      check(name, plugins[name], defaults, at, report);
    }
  }
  return { file, plugins, defaults, profiles, server, isBlank, warnings: report.warnings };
}

function createReport(file: string, document: Document): Report & { readonly warnings: readonly string[] } {
  const warnings: string[] = [];
  return {
    warnings,
    invalid: (path, message, hint) => invalid(file, document.lineOf(path), path, message, hint),
    warn(path, message) {
      warnings.push(`${file}:${document.lineOf(path)}: ${message}.`);
    },
  };
}

function invalid(file: string, line: number, path: Path | null, message: string, hint?: string): SupervisorError {
  const key = path === null || path.length === 0 ? '' : `${keyOf(path)}: `;
  return supervisorError('CONFIG_INVALID', {
    message: `${file}:${line}: ${key}${message.replace(/\.$/, '')}.`,
    ...(hint === undefined ? {} : { hint }),
    data: { file, line, key: path === null ? null : keyOf(path) },
  });
}

/** `plugins.time.args[1]` */
const keyOf = (path: Path): string =>
  path.map((key, at) => (typeof key === 'number' ? `[${key}]` : `${at === 0 ? '' : '.'}${key}`)).join('');

function readDefaults(section: unknown, report: Report): Defaults {
  if (section === undefined || section === null) return {};
  if (!isFields(section)) throw report.invalid(['defaults'], 'expected an object of plugin options');
  const own = PLUGIN_OPTIONS.filter((name) => !['source', 'ref', 'subdir', 'url', 'headers'].includes(name));
  for (const key of Object.keys(section)) {
    if (!own.includes(key)) throw unknownKey(key, ['defaults', key], own, report);
  }
  const defaults = Object.fromEntries(
    Object.entries(section).flatMap(([key, value]) => (value == null ? [] : [[key, readOption(key, value)]])),
  ) as Defaults;
  // Any source will do: what is wrong is the defaults' own.
  check('defaults', { source: 'npm:defaults' }, defaults, ['defaults'], report);
  return defaults;
}

/** The library's own check, told with the place in the file. */
function check(name: string, options: PluginOptions, defaults: Defaults, path: Path, report: Report): void {
  try {
    toSpec(name, options, defaults);
  } catch (error) {
    if (!SupervisorError.is(error)) throw error;
    const [, field] = /: (?:unknown option )?'(\w+)'/.exec(error.message) ?? [];
    const at = field !== undefined && PLUGIN_OPTIONS.includes(field) ? [...path, field] : path;
    const place = report.invalid(at, '') as SupervisorError;
    const words = error.message.replace(/^Plugin '[^']*': /, '');
    throw new SupervisorError(
      {
        ...error.toJSON(),
        message: place.message.replace(/: \.$/, `: ${words}`),
        data: { ...error.data, ...place.data },
      },
      error.plugin,
    );
  }
}
