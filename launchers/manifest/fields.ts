/** The fields of our own manifest, checked: an unknown name or a wrong type is refused, never skipped. */

import { asFields, describe, type Fields, isFields } from '../parse.ts';
import { join } from '../paths.ts';
import type { Refusal, Transport } from '../plan.ts';
import { badManifest } from '../refusal.ts';
import { splitCommand } from '../words.ts';

export interface ManifestFields {
  readonly runtime?: string;
  readonly entry?: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly transport?: Transport | 'auto';
  readonly endpoint?: string;
  readonly port?: { readonly env: readonly string[]; readonly args: readonly string[]; readonly fixed: number | null };
  readonly install?: readonly (readonly string[])[];
  readonly build?: readonly (readonly string[])[];
  readonly health?: string;
  readonly openapi?: string;
  readonly socket?: { readonly env: readonly string[]; readonly args: readonly string[] };
  readonly ready?: string;
}

/** Raised by a reader, turned into a refusal that names file and field. */
class FieldProblem extends Error {
  constructor(expected: string, got: unknown) {
    super(
      `expected ${expected}, got ${typeof got === 'string' ? JSON.stringify(got) : isFields(got) || Array.isArray(got) || got === null ? describe(got) : String(got)}`,
    );
  }
}

const READERS: {
  readonly [Name in keyof Required<ManifestFields>]: (value: unknown) => NonNullable<ManifestFields[Name]>;
} = {
  runtime: text('the name of a runtime, such as node, python or binary'),
  entry: below('a file of the plugin, such as dist/server.js'),
  command: words,
  args: (value) => (typeof value === 'string' ? words(value) : list(value, 'a list of words')),
  env: variables,
  cwd: below('a folder of the plugin'),
  transport,
  endpoint: (value) => path(value, 'a path such as /mcp'),
  port,
  install: commands,
  build: commands,
  health: (value) => path(value, 'a path such as /healthz'),
  openapi: (value) => path(value, 'a path such as /openapi.json'),
  socket: (value) => address(value, 'socket'),
  ready: pattern,
};

/** What people write beside the fields for themselves. */
const NOTES = new Set(['name', 'version', 'description', '$schema']);

export const OUR_FIELDS: readonly string[] = Object.keys(READERS);

/** Neither a field nor a note, and no misspelt field either. */
export const isUnknownField = (name: string): boolean =>
  !OUR_FIELDS.includes(name) && !NOTES.has(name) && !OUR_FIELDS.some((known) => isNear(known, name));

export function readFields(file: string, fields: Fields): ManifestFields | Refusal {
  const read: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields)) {
    if (NOTES.has(name) || value === null) continue;
    // Own names only: a field may be called `valueOf`.
    const known = Object.hasOwn(READERS, name);
    const reader = known ? (READERS as Readonly<Record<string, (value: unknown) => unknown>>)[name] : undefined;
    if (reader === undefined) {
      const near = OUR_FIELDS.find((known) => isNear(known, name));
      const hint = near === undefined ? `The fields are ${OUR_FIELDS.join(', ')}.` : `Did you mean \`${near}\`?`;
      return badManifest(file, `unknown field \`${name}\``, hint);
    }
    try {
      read[name] = reader(value);
    } catch (problem) {
      if (!(problem instanceof FieldProblem)) throw problem;
      return badManifest(file, `field \`${name}\`: ${problem.message}`);
    }
  }
  return read as ManifestFields;
}

function text(expected: string) {
  return (value: unknown): string => {
    if (typeof value !== 'string' || value.trim() === '') throw new FieldProblem(expected, value);
    return value.trim();
  };
}

function below(expected: string) {
  return (value: unknown): string => {
    const written = text(expected)(value);
    const normal = join(written);
    if (written.startsWith('/') || normal.startsWith('..'))
      throw new FieldProblem(`${expected}, inside the plugin’s folder`, value);
    return normal;
  };
}

function list(value: unknown, expected: string): string[] {
  if (!Array.isArray(value)) throw new FieldProblem(expected, value);
  return value.map((each) => {
    if (typeof each !== 'string' && typeof each !== 'number')
      throw new FieldProblem(`${expected} (every one text)`, each);
    return String(each);
  });
}

/** `node server.js`, or `[node, server.js]`. */
function words(value: unknown): readonly string[] {
  if (Array.isArray(value) && value.length > 0) return list(value, 'a command');
  if (typeof value !== 'string') throw new FieldProblem('a command, as text or as a list of words', value);
  const split = splitCommand(value);
  if (!split.ok) throw new FieldProblem(`a plain command (this one ${split.problem})`, value);
  return split.words;
}

/** One command as text, or a list of commands, each text or a list of words; `false` or `[]` for none. */
function commands(value: unknown): (readonly string[])[] {
  if (value === false) return [];
  return Array.isArray(value) ? value.map(words) : [words(value)];
}

function variables(value: unknown): Record<string, string> {
  if (!isFields(value)) throw new FieldProblem('names and values', value);
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => {
      if (!/^[A-Za-z_]\w*$/.test(name)) throw new FieldProblem('names of letters, digits and _', name);
      if (!['string', 'number', 'boolean'].includes(typeof each)) throw new FieldProblem(`text for ${name}`, each);
      return [name, String(each)];
    }),
  );
}

const TRANSPORTS: readonly (Transport | 'auto')[] = ['stdio', 'streamable-http', 'http', 'sse', 'auto'];

/** Also as `streamableHttp` and `streamable_http`, which other tools write. */
function transport(value: unknown): Transport | 'auto' {
  const written = String(value)
    .replaceAll(/([a-z])([A-Z])/g, '$1-$2')
    .replaceAll('_', '-')
    .toLowerCase();
  const found = TRANSPORTS.find((each) => each === written);
  if (found === undefined) throw new FieldProblem(`one of ${TRANSPORTS.join(', ')}`, value);
  return found;
}

function path(value: unknown, expected: string): string {
  if (typeof value !== 'string' || !/^\/\S*$/.test(value)) throw new FieldProblem(expected, value);
  return value;
}

/** `3000` is fixed; `{env: PORT}`, `{arg: --port}` say how a free one is handed over. */
function port(value: unknown): NonNullable<ManifestFields['port']> {
  if (typeof value === 'number' || (typeof value === 'string' && /^\d+$/.test(value))) {
    const fixed = Number(value);
    if (!Number.isInteger(fixed) || fixed < 1 || fixed > 65535) throw new FieldProblem('a port from 1 to 65535', value);
    return { env: [], args: [], fixed };
  }
  return { ...address(value, 'port'), fixed: null };
}

/** `{env: NAME}` and `{arg: --name}`, one or several; `--name=` and `{port}` inside a word make one word of it. */
function address(value: unknown, what: 'port' | 'socket'): { env: string[]; args: string[] } {
  const expected = `${what === 'port' ? 'a number, ' : ''}{env: NAME} or {arg: --${what}}`;
  const { env, arg, args = arg, ...rest } = asFields(value);
  if (!isFields(value) || Object.keys(rest).length > 0 || (env === undefined && args === undefined))
    throw new FieldProblem(expected, value);
  const several = (each: unknown): string[] =>
    each === undefined ? [] : typeof each === 'string' ? [each] : list(each, expected);
  const placeholder = `{${what}}`;
  const written = several(args);
  return {
    env: Object.keys(variables(Object.fromEntries(several(env).map((name) => [name, ''])))),
    args: written.some((word) => word.includes(placeholder))
      ? written
      : written.flatMap((word) => (word.endsWith('=') ? [word + placeholder] : [word, placeholder])),
  };
}

function pattern(value: unknown): string {
  const written = text('a regular expression')(value);
  try {
    new RegExp(written);
    return written;
  } catch {
    throw new FieldProblem('a regular expression', value);
  }
}

/** One letter too many, too few or other, or two swapped. */
function isNear(known: string, name: string): boolean {
  if (Math.abs(known.length - name.length) > 1) return known.startsWith(name.toLowerCase()) && name.length > 2;
  const a = known;
  const b = name.toLowerCase();
  let same = 0;
  while (same < a.length && a[same] === b[same]) same++;
  let tail = 0;
  while (tail < Math.min(a.length, b.length) - same && a.at(-1 - tail) === b.at(-1 - tail)) tail++;
  return Math.max(a.length, b.length) - same - tail <= 2;
}
