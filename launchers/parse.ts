/** JSON, TOML and YAML of other people, read to a plain object or refused with file and line. */

import { parse as parseTomlText } from 'smol-toml';
import { parseDocument } from 'yaml';
import { plainJson } from './jsonc.ts';
import type { FileView, Refusal } from './plan.ts';
import { badManifest } from './refusal.ts';

export type Fields = Readonly<Record<string, unknown>>;
export type Parsed = { readonly ok: true; readonly fields: Fields } | { readonly ok: false; readonly refusal: Refusal };

export const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const asFields = (value: unknown): Fields => (isFields(value) ? value : {});
export const asString = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null);
export const asStrings = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((each): each is string => typeof each === 'string') : [];

/** Parses by the file's ending; null when the view has no such file. */
export function readManifest(view: FileView, file: string): Parsed | null {
  const text = view.read(file)?.replace(/^\uFEFF/, '');
  if (text === undefined) {
    return view.files.includes(file) ? refuse(file, 'is too large or not readable') : null;
  }
  if (/(^|\/)deno\.json$|\.jsonc$/.test(file)) return parseJson(file, plainJson(text));
  if (file.endsWith('.json')) return parseJson(file, text);
  return file.endsWith('.toml') ? parseToml(file, text) : parseYaml(file, text);
}

function parseJson(file: string, text: string): Parsed {
  try {
    return object(file, JSON.parse(text));
  } catch (error) {
    return refuse(`${file}${lineOfJsonError(error as Error, text)}`, `is not valid JSON: ${firstLine(error as Error)}`);
  }
}

function parseToml(file: string, text: string): Parsed {
  try {
    return object(file, parseTomlText(text));
  } catch (error) {
    const { line } = error as { line?: number };
    return refuse(
      `${file}${line === undefined ? '' : `:${line}`}`,
      `is not valid TOML: ${firstLine(error as Error).replace(/^Invalid TOML document: /, '')}`,
    );
  }
}

function parseYaml(file: string, text: string): Parsed {
  const document = parseDocument(text);
  const [error] = document.errors;
  if (error !== undefined) {
    const line = error.linePos?.[0].line;
    return refuse(
      `${file}${line === undefined ? '' : `:${line}`}`,
      `is not valid YAML: ${firstLine(error).replace(/ at line \d+.*$/, '')}`,
    );
  }
  try {
    return object(file, document.toJS({ maxAliasCount: 100 }));
  } catch (thrown) {
    return refuse(file, `is not valid YAML: ${firstLine(thrown as Error)}`);
  }
}

const object = (file: string, value: unknown): Parsed =>
  isFields(value)
    ? { ok: true, fields: value }
    : refuse(file, `holds ${describe(value)} where an object with fields is expected`);

export const describe = (value: unknown): string =>
  value === null ? 'nothing' : Array.isArray(value) ? 'a list' : isFields(value) ? 'an object' : `a ${typeof value}`;

const refuse = (file: string, problem: string): Parsed => ({ ok: false, refusal: badManifest(file, problem) });

const firstLine = (error: Error): string => error.message.split('\n')[0] ?? '';

/**
 * V8 gives an offset for some errors and none for others. Text cut off before the wrong place only ends too early, text cut
 * off behind it is wrong, so the line is found by halving.
 */
function lineOfJsonError({ message }: Error, text: string): string {
  const offset = /position (\d+)/.exec(message)?.[1];
  if (offset !== undefined) return `:${text.slice(0, Number(offset)).split('\n').length}`;
  const lines = text.trimEnd().split('\n');
  let good = 0;
  let bad = lines.length;
  while (bad - good > 1) {
    const middle = Math.floor((good + bad) / 2);
    if (isCutOff(`${lines.slice(0, middle).join('\n')}\n`)) good = middle;
    else bad = middle;
  }
  return `:${bad}`;
}

function isCutOff(text: string): boolean {
  try {
    JSON.parse(text);
    return false;
  } catch (error) {
    const { message } = error as Error;
    const offset = /position (\d+)/.exec(message)?.[1];
    return /end of JSON input/.test(message) || Number(offset) >= text.length;
  }
}
