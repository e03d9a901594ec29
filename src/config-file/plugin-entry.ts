/** One plugin of a configuration file: in our own words, or as AI clients write a server. */

import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { type Fields, isFields } from '../../actors/fields.ts';
import { splitCommand } from '../../launchers/words.ts';
import { closest } from '../closest.ts';
import { PLUGIN_OPTIONS } from '../config.ts';
import type { PluginOptions } from '../options.ts';
import { commandText, parseSource } from '../source.ts';
import type { Path, Report } from './contracts.ts';
import { readDuration } from './durations.ts';

export interface EntryParts {
  /** Absolute path of the file: relative paths are relative to its folder. */
  readonly file: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly report: Report;
  /** Pasted from a client: what is unknown there is passed over with a warning. */
  readonly pasted: boolean;
}

/** What only other programs' files say of a server, and means nothing here. */
const FOREIGN = new Set(
  'type description name title icon metadata tags autoApprove alwaysAllow trust gallery dev oauth auth version'.split(
    ' ',
  ),
);
/** What we read of a server as others write it. */
const PASTED = 'command args env envFile cwd url headers type disabled enabled timeout'.split(' ');
/** An address, by whichever name. */
const ADDRESSES = ['url', 'httpUrl', 'serverUrl', 'baseUrl'];
const ALLOWED_TOOLS = ['enabledTools', 'includeTools', 'enabled_tools'];
const DENIED_TOOLS = ['disabledTools', 'excludeTools', 'disabled_tools'];

/** True for what a client would start or connect to. */
export const looksLikeServer = (value: unknown): value is Fields =>
  isFields(value) &&
  ['command', 'source', ...ADDRESSES].some((key) => typeof value[key] === 'string' || Array.isArray(value[key]));

/** The options of one plugin; null when it is disabled. Throws CONFIG_INVALID with file, line and key. */
export function readEntry(entry: unknown, path: Path, parts: EntryParts): PluginOptions | null {
  const { file, report } = parts;
  if (typeof entry === 'string') return { source: placed(entry, file) };
  if (!isFields(entry)) {
    throw report.invalid(path, `expected a source or an object of options, got ${kindOf(entry)}`);
  }
  if (entry.disabled === true || entry.enabled === false) return null;
  const options = readOptions(entry, path, parts);
  if (typeof entry.source === 'string') return { ...options, source: placed(entry.source, file) } as PluginOptions;
  if (entry.source !== undefined)
    throw report.invalid([...path, 'source'], `expected a string, got ${kindOf(entry.source)}`);
  const address = ADDRESSES.find((key) => typeof entry[key] === 'string');
  if (address !== undefined) return remoteOf(entry, address, options, path, parts);
  if (entry.command !== undefined) return commandOf(entry, options, path, parts);
  throw report.invalid(path, "'source' is missing", 'A plugin needs a source, a command or a url.');
}

/** Everything but the source: our own options, and what others' words mean in ours. */
function readOptions(entry: Fields, path: Path, { file, env, report, pasted }: EntryParts): Record<string, unknown> {
  const options: Record<string, unknown> = {};
  const own = typeof entry.source === 'string';
  for (const [key, value] of Object.entries(entry)) {
    if (value === undefined || value === null) continue;
    const at = [...path, key];
    if (key === 'source' || key === 'disabled' || key === 'enabled') continue;
    if (key === 'envFile') continue;
    if (key === 'environment' && !own) options.env = value;
    else if (key === 'timeout' && !own) options.timeouts = { call: readTimeout(value, at, report) };
    else if (key === 'type' && !own) continue;
    else if ((key === 'command' || key === 'args' || key === 'cwd') && !own) continue;
    else if (ADDRESSES.includes(key) && !own) continue;
    else if (ALLOWED_TOOLS.includes(key)) options.tools = { ...(options.tools as object), allow: value };
    else if (DENIED_TOOLS.includes(key)) options.tools = { ...(options.tools as object), deny: value };
    else if (PLUGIN_OPTIONS.includes(key)) options[key] = readOption(key, value);
    else if (FOREIGN.has(key) && !own) continue;
    else if (key === 'headers' && !own) continue;
    else {
      const known = own ? [...PLUGIN_OPTIONS, 'disabled', 'envFile'] : [...new Set([...PLUGIN_OPTIONS, ...PASTED])];
      const near = closest(key, known);
      const guess = near.length === 0 ? `Known are ${known.join(', ')}.` : `Did you mean ${near.join(' or ')}?`;
      if (!pasted) throw report.invalid(at, `unknown option '${key}'`, guess);
      report.warn(
        at,
        `'${key}' is not known here and was passed over${near.length === 0 ? '' : `; did you mean ${near[0]}?`}`,
      );
    }
  }
  if (isFields(options.env)) options.env = readEnv(options.env, [...path, 'env'], report);
  if (entry.envFile !== undefined) {
    const files = [entry.envFile].flat();
    options.env = {
      ...Object.assign({}, ...files.map((name) => readEnvFile(name, [...path, 'envFile'], file, env, report))),
      ...(options.env as object),
    };
  }
  return options;
}

/** Options that hold durations. */
export function readOption(key: string, value: unknown): unknown {
  if (key === 'idleStop' || key === 'liveness') return readDuration(value);
  if (key === 'timeouts' && isFields(value)) {
    return Object.fromEntries(Object.entries(value).map(([name, limit]) => [name, readDuration(limit)]));
  }
  if (key === 'instances' && isFields(value) && isFields(value.perSession)) {
    const { idle, ...rest } = value.perSession;
    return { ...value, perSession: { ...rest, ...(idle === undefined ? {} : { idle: readDuration(idle) }) } };
  }
  return value;
}

function readTimeout(value: unknown, path: Path, report: Report): number {
  const time = readDuration(value);
  if (typeof time === 'number' && time > 0) return time;
  throw report.invalid(path, 'expected milliseconds, or a duration such as 30s');
}

/** YAML makes numbers and booleans of what a shell would take as text. `${NAME}` is what others call `${env:NAME}`. */
function readEnv(env: Fields, path: Path, report: Report): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(env).map(([name, value]) => {
      if (!['string', 'number', 'boolean'].includes(typeof value)) {
        throw report.invalid([...path, name], `expected a string, got ${kindOf(value)}`);
      }
      return [name, toReferences(String(value), [...path, name], report)];
    }),
  );
}

function toReferences(text: string, path: Path, report: Report): string {
  if (/\$\{input:/.test(text)) throw asksForInput(path, report);
  return text.replaceAll(/(\$?)\$\{([A-Za-z_]\w*)\}/g, (whole, escaped: string, variable: string) =>
    escaped === '' ? `\${env:${variable}}` : whole,
  );
}

function readEnvFile(
  name: unknown,
  path: Path,
  file: string,
  env: EntryParts['env'],
  report: Report,
): Readonly<Record<string, string | undefined>> {
  if (typeof name !== 'string') throw report.invalid(path, `expected a path, got ${kindOf(name)}`);
  const place = resolve(dirname(file), filled(name, path, file, env, report));
  try {
    return parseEnv(readFileSync(place, 'utf8'));
  } catch (error) {
    throw report.invalid(path, `${place} can not be read (${(error as NodeJS.ErrnoException).code})`);
  }
}

function remoteOf(entry: Fields, address: string, options: Fields, path: Path, { report }: EntryParts): PluginOptions {
  const headers = entry.headers ?? entry.http_headers;
  if (
    headers !== undefined &&
    (!isFields(headers) || !Object.values(headers).every((value) => typeof value === 'string'))
  ) {
    throw report.invalid([...path, 'headers'], 'expected an object of strings');
  }
  const url = toReferences(entry[address] as string, [...path, address], report);
  const type = TYPES[String(entry.type)];
  return {
    ...options,
    url,
    ...(type === undefined ? {} : { type }),
    ...(headers === undefined ? {} : { headers: readEnv(headers as Fields, [...path, 'headers'], report) }),
  };
}

/** The names that clients have for them; everything else leaves it to be found out. */
const TYPES: Readonly<Record<string, NonNullable<PluginOptions['type']>>> = {
  http: 'http',
  sse: 'sse',
  'streamable-http': 'streamable-http',
  streamableHttp: 'streamable-http',
};

/** A line that installs and runs a package is that package; everything else runs as it is written, in its folder. */
function commandOf(entry: Fields, options: Fields, path: Path, { file, env, report }: EntryParts): PluginOptions {
  const given = Array.isArray(entry.command) ? entry.command : commandWords(entry, path, report);
  const words = [...given, ...((entry.args as unknown[] | undefined) ?? [])].map((word, at) => {
    if (typeof word !== 'string' && typeof word !== 'number') {
      throw report.invalid([...path, 'args'], `expected a list of strings, got ${kindOf(word)} at ${at}`);
    }
    return filled(String(word), [...path, 'args'], file, env, report);
  });
  if (entry.cwd !== undefined && typeof entry.cwd !== 'string') {
    throw report.invalid([...path, 'cwd'], `expected a path, got ${kindOf(entry.cwd)}`);
  }
  const folder = dirname(file);
  const line = commandText(words);
  if (entry.cwd === undefined && isPackage(line.slice(3))) return { ...options, source: line.slice(3) };
  const cwd = resolve(folder, filled(entry.cwd ?? '', [...path, 'cwd'], file, env, report));
  return { ...options, source: line, cwd };
}

function commandWords(entry: Fields, path: Path, report: Report): readonly unknown[] {
  const { command, args } = entry;
  if (typeof command !== 'string' || command.trim() === '') {
    throw report.invalid([...path, 'command'], `expected a command, got ${kindOf(command)}`);
  }
  if (args !== undefined && !Array.isArray(args)) {
    throw report.invalid([...path, 'args'], `expected a list of strings, got ${kindOf(args)}`);
  }
  // A path with a blank in it is one word; a whole line without `args` is a line.
  if (args !== undefined || isAbsolute(command)) return [command];
  const split = splitCommand(command);
  return split.ok ? split.words : [command];
}

function isPackage(line: string): boolean {
  try {
    return parseSource(line).source.kind === 'package';
  } catch {
    return false;
  }
}

/** `${env:X}`, `${X}`, `${X:-default}`, `${workspaceFolder}` and `${userHome}` in what is no secret. */
function filled(text: string, path: Path, file: string, env: EntryParts['env'], report: Report): string {
  return text.replaceAll(/\$\{(env:)?([\w.:]+?)(?::-([^}]*))?\}/g, (whole, _env, name: string, otherwise?: string) => {
    if (name === 'workspaceFolder') return dirname(file);
    if (name === 'userHome') return env.HOME || homedir();
    if (name.startsWith('input:')) throw asksForInput(path, report);
    if (!/^[A-Za-z_]\w*$/.test(name)) return whole;
    const value = env[name] || otherwise;
    if (value !== undefined) return value;
    throw report.invalid(path, `the variable ${name} is not set`, `Set it, or write \${${name}:-default}.`);
  });
}

const asksForInput = (path: Path, report: Report) =>
  report.invalid(
    path,
    '${input:…} asks a person, and nobody is asked here',
    'Write ${env:NAME}, and set that variable.',
  );

/** A folder or file is relative to the configuration file; so is what a bare command runs in. */
function placed(source: string, file: string): string {
  const folder = dirname(file);
  const text = source.trim();
  if (/^\.{1,2}(\/|$|#)/.test(text)) {
    const [place = '', ...fragment] = text.split('#');
    return [join(folder, place), ...fragment].join('#');
  }
  return text;
}

/** Options of a bare command without a folder of its own. */
export const withFolder = (options: PluginOptions, file: string): PluginOptions =>
  /^\s*--\s/.test(options.source ?? '') && (options.cwd === undefined || !isAbsolute(options.cwd))
    ? { ...options, cwd: resolve(dirname(file), options.cwd ?? '') }
    : options;

/** Never the value: it may be a secret. */
export const kindOf = (value: unknown): string =>
  value === null
    ? 'nothing'
    : Array.isArray(value)
      ? 'a list'
      : typeof value === 'object'
        ? 'an object'
        : `a ${typeof value}`;
