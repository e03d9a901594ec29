import { HttpError } from '../http/http-error.ts';

const UNITS = { ms: 1, s: 1000, m: 60_000, min: 60_000, h: 3_600_000 } as const;
/** What a timer can hold. */
const LONGEST = 2 ** 31 - 1;

/** `500ms`, `30s`, `2m`, `1h`; a bare number is seconds. Milliseconds, or null where the query doesn't say. */
export function durationOf(query: URLSearchParams, name: string): number | null {
  const text = query.get(name);
  if (text === null) return null;
  const found = /^(\d+(?:\.\d+)?) *(ms|s|m|min|h)?$/.exec(text);
  if (found === null) {
    throw new HttpError('HTTP_BAD_REQUEST', `${name} must be a duration such as 500ms, 30s or 2m.`);
  }
  const milliseconds = Math.ceil(Number(found[1]) * UNITS[(found[2] ?? 's') as keyof typeof UNITS]);
  if (milliseconds > LONGEST) throw new HttpError('HTTP_BAD_REQUEST', `${name} may be at most 24 days.`);
  return milliseconds;
}
