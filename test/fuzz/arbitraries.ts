/** What people, broken programs and attackers send. */

import fc from 'fast-check';

/** Any bytes, with newlines and half characters often enough to matter. */
export const bytes = fc
  .array(
    fc.oneof(
      { weight: 4, arbitrary: fc.uint8Array({ maxLength: 20 }).map((some) => Buffer.from(some)) },
      { weight: 3, arbitrary: fc.constantFrom('\n', '\r\n', '\n\n', ' ', '\t', '{', '[', '}', '"').map(Buffer.from) },
      { weight: 2, arbitrary: fc.string({ unit: 'grapheme', maxLength: 30 }).map((text) => Buffer.from(text)) },
      {
        weight: 1,
        arbitrary: fc.tuple(fc.constantFrom('x', 'é', '\r'), fc.nat(300)).map(([x, n]) => Buffer.from(x.repeat(n))),
      },
    ),
    { maxLength: 40 },
  )
  .map((parts) => Buffer.concat(parts));

/** The same bytes in chunks, cut anywhere. */
export const cutAt = (all: Buffer, places: readonly number[]): Buffer[] => {
  const cuts = [0, ...places.map((place) => place % (all.length + 1)).sort((a, b) => a - b), all.length];
  return cuts.slice(1).map((to, index) => all.subarray(cuts[index], to));
};
export const places = fc.array(fc.nat(), { maxLength: 12 });

/** Names that mean something to JavaScript or to the protocols. */
const KEYS = `jsonrpc id method params result error code message data progressToken progress _meta tools name nextCursor
  inputSchema annotations capabilities protocolVersion serverInfo supportedVersions requestId toString valueOf toJSON
  __proto__ constructor length then`.split(/\s+/);
const key = fc.oneof({ weight: 5, arbitrary: fc.constantFrom(...KEYS) }, { weight: 1, arbitrary: fc.string() });
const WORDS = `2.0 initialize ping tools/list tools/call notifications/progress notifications/tools/list_changed
  notifications/cancelled notifications/message 2025-06-18 2026-07-28 server/discover`.split(/\s+/);

const leaf = fc.oneof(
  fc.constantFrom('null', 'true', 'false', '0', '1', '2', '-1', '1e400', '1e999', '007', '""', '[]', '{}'),
  fc.constantFrom(...WORDS).map((word) => JSON.stringify(word)),
  fc.integer().map(String),
  fc.string({ unit: 'binary', maxLength: 10 }).map((text) => JSON.stringify(text)),
);

/** JSON as text, so that `__proto__` and doubled names are in it; now and then not quite JSON. */
export const jsonText: fc.Arbitrary<string> = fc.letrec<{ value: string }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    leaf,
    fc.array(tie('value'), { maxLength: 4 }).map((items) => `[${items.join(',')}]`),
    fc
      .array(fc.tuple(key, tie('value')), { maxLength: 5 })
      .map((entries) => `{${entries.map(([name, value]) => `${JSON.stringify(name)}:${value}`).join(',')}}`),
  ),
})).value;

/** Something like a JSON-RPC message. */
export const messageText: fc.Arbitrary<string> = fc
  .tuple(
    fc.array(
      fc.tuple(fc.constantFrom('id', 'method', 'params', 'result', 'error', 'id', 'result', 'method'), jsonText),
      { maxLength: 4 },
    ),
    fc.boolean(),
  )
  .map(([entries, first]) => {
    const fields = entries.map(([name, value]) => `"${name}":${value}`);
    return `{${(first ? ['"jsonrpc":"2.0"', ...fields] : [...fields, '"jsonrpc":"2.0"']).join(',')}}`;
  });

/** One piece very often: what makes a pattern with two ways to match blow up. */
export const monotony: fc.Arbitrary<string> = fc
  .tuple(
    fc.string({ maxLength: 20 }),
    fc.oneof(
      fc.constantFrom(
        ' ',
        '\t',
        '\n',
        'a',
        '-',
        '"',
        "'",
        '(',
        '[',
        '{',
        '<a ',
        '/*',
        '#',
        '\\',
        'a.',
        'a b ',
        '$(',
        '=',
        ',',
      ),
      fc.string({ minLength: 1, maxLength: 4 }),
    ),
    fc.nat(30_000),
    fc.string({ maxLength: 20 }),
  )
  .map(([before, unit, times, after]) => before + unit.repeat(Math.ceil(times / unit.length)) + after);

/** Text that was edited by somebody who should not have. */
export const mutated = (originals: readonly string[], tokens: readonly string[]): fc.Arbitrary<string> =>
  fc
    .tuple(
      fc.constantFrom(...originals),
      fc.array(
        fc.tuple(
          fc.constantFrom('cut', 'double', 'insert', 'replace', 'end', 'swap', 'repeat'),
          fc.nat(),
          fc.nat(60),
          fc.oneof(fc.constantFrom(...tokens), fc.string({ maxLength: 10 }), jsonText),
          fc.nat(500),
        ),
        { maxLength: 6 },
      ),
    )
    .map(([original, edits]) => edits.reduce((text, edit) => mutate(text, ...edit), original));

function mutate(text: string, how: string, place: number, length: number, token: string, times: number): string {
  const at = place % (text.length + 1);
  const [before, piece, after] = [text.slice(0, at), text.slice(at, at + length), text.slice(at + length)];
  switch (how) {
    case 'cut':
      return before + after;
    case 'double':
      return before + piece + piece + after;
    case 'insert':
      return before + token + piece + after;
    case 'replace':
      return before + token + after;
    case 'end':
      return before;
    case 'swap':
      return after + piece + before;
    default:
      return before + (token || ' ').repeat(times) + piece + after;
  }
}
