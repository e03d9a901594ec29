import { closest } from '../closest.ts';
import type { Path, Report } from './contracts.ts';

/** Names the nearest known key, else all of them. */
export function unknownKey(key: string, path: Path, known: readonly string[], report: Report): Error {
  const near = closest(key, known);
  const hint = near.length === 0 ? `Known are ${known.join(', ')}.` : `Did you mean ${near.join(' or ')}?`;
  return report.invalid(path, `unknown key '${key}'`, hint);
}
