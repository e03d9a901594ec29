import { millisecondsIn } from '../../duration.ts';
import { HttpError } from '../http/http-error.ts';

/** What a timer can hold. */
const LONGEST = 2 ** 31 - 1;

/** `500ms`, `30s`, `2m`, `1h`; a bare number is seconds. Milliseconds, or null where the query doesn't say. */
export function durationOf(query: URLSearchParams, name: string): number | null {
  const text = query.get(name);
  if (text === null) return null;
  const milliseconds = millisecondsIn(/^\d+(\.\d+)?$/.test(text) ? `${text}s` : text);
  if (milliseconds === null) {
    throw new HttpError('HTTP_BAD_REQUEST', `${name} must be a duration such as 500ms, 30s or 2m.`);
  }
  if (milliseconds > LONGEST) throw new HttpError('HTTP_BAD_REQUEST', `${name} may be at most 24 days.`);
  return Math.ceil(milliseconds);
}
