/**
 * Takes the values of secrets out of text, in every spelling in which programs write them down. Masking happens where
 * text comes in (a line of output, an error of the plugin), so that nothing behind it has to think of it.
 */

import type { PluginSpec } from '../launchers/plan.ts';

/** Text without secrets. `cut` is the last place at or before `at` that parts no secret. */
export interface Redactor {
  (text: string): string;
  cut(text: string, at: number): number;
  /** Characters of the longest spelling. */
  readonly longest: number;
}

/** Shorter values are left: masking `a` or `8080` would only garble the text. */
export function createRedactor(secrets: Iterable<string>): Redactor {
  const found = new Set<string>();
  for (const secret of secrets) for (const spelling of spellings(secret)) found.add(spelling);
  const telling = [...found].filter((spelling) => spelling.length >= SHORTEST).sort(longestFirst);
  if (telling.length === 0)
    return Object.assign((text: string) => text, { cut: (_: string, at: number) => at, longest: 0 });
  // One pass for all of them: seven times as fast as one replaceAll each, and a mask is never masked again.
  const anyOf = new RegExp(telling.map(escaped).join('|'), 'g');
  return Object.assign((text: string) => text.replace(anyOf, MASK), {
    cut(text: string, at: number) {
      for (const { index, 0: match } of text.matchAll(anyOf)) {
        if (index >= at) break;
        if (index + match.length > at) return index;
      }
      return at;
    },
    longest: telling[0]!.length,
  });
}

/**
 * For lines so long that they come in pieces (`continues`: the next one belongs to it): what may be the beginning of a
 * secret is kept back for the next piece.
 */
export function createPieceRedactor(redact: Redactor): (piece: string, continues: boolean) => string {
  let kept = '';
  return (piece, continues) => {
    const text = kept + piece;
    const end = continues ? redact.cut(text, Math.max(0, text.length - redact.longest)) : text.length;
    kept = text.slice(end);
    return redact(text.slice(0, end));
  };
}

/** Every string in a piece of JSON, names included. */
export function redactValue(value: unknown, redact: (text: string) => string): unknown {
  if (typeof value === 'string') return redact(value);
  if (Array.isArray(value)) return value.map((each) => redactValue(each, redact));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [redact(name), redactValue(each, redact)]));
}

/** Text without what stands before the `@` of an address: installers print those of their registries. */
export const withoutLogins = (text: string): string => text.replaceAll(/\/\/[^\s/'"]+@/g, '//[redacted]@');

/** What is secret in the login of a source's address: the password, else the user, which then is a token. */
export function loginOf({ credential }: Pick<PluginSpec, 'credential'>): readonly string[] {
  return credential === undefined ? [] : [credential.reveal() || credential.username];
}

const SHORTEST = 6;
const MASK = '[redacted]';

/** One secret may be the beginning of another. */
const longestFirst = (a: string, b: string) => b.length - a.length;

const escaped = (text: string) => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');

/** As it is, line by line (a key file is printed so), and as URLs, JSON, form fields and base64 have it. */
function spellings(secret: string): readonly string[] {
  const lines = /[\r\n]/.test(secret) ? secret.split(/[\r\n]+/).map((line) => line.trim()) : [];
  return [secret, secret.trim(), ...lines].filter((text) => text.length >= SHORTEST).flatMap(encodings);
}

function encodings(text: string): readonly string[] {
  const url = encodeUrl(text);
  return [text, url, url.replaceAll('%20', '+'), JSON.stringify(text).slice(1, -1), ...base64Forms(text)];
}

/** Half of a pair of surrogates has no URL form. */
function encodeUrl(text: string): string {
  try {
    return encodeURIComponent(text);
  } catch {
    return text;
  }
}

/** What base64 makes of it depends on what stands before it (`Basic` logins begin with the user): three ways to begin. */
function base64Forms(text: string): readonly string[] {
  const bytes = Buffer.from(text);
  return [0, 1, 2].flatMap((before) => {
    const whole = Buffer.concat([Buffer.alloc(before), bytes])
      .toString('base64')
      .replace(/=+$/, '');
    // Characters at either end also hold bits of the neighbours.
    const pure = whole.slice(before === 0 ? 0 : before + 1, (before + bytes.length) % 3 === 0 ? undefined : -1);
    return [pure, pure.replaceAll('+', '-').replaceAll('/', '_')];
  });
}
