/** A Python of our own, by uv: from where uv has its builds, into the home alone. */

import type { StepResult } from '../step.ts';
import type { Fetching } from './fetch.ts';
import { satisfiesPython } from './versions.ts';

/** Minors in the order in which they are asked for: what most packages have binary releases for comes first. */
const USUAL = ['3.12', '3.13', '3.11', '3.14', '3.10', '3.15', '3.9', '3.8', '3.16'];

/** What uv is asked for (`3.12`): the most usual minor in the range, the one that the project prefers before it. */
export function pythonRequest(specifier: string | null, prefers?: string): string {
  // The newest release of a minor decides whether the range takes it.
  const fits = (minor: string, range: string | null | undefined) => satisfiesPython(`${minor}.99`, range ?? '');
  const inRange = USUAL.filter((minor) => fits(minor, specifier));
  const [best = USUAL[0] ?? ''] = [inRange.filter((minor) => fits(minor, prefers)), inRange].flat();
  // `==3.11.4` wants one release.
  return inRange.length > 0 ? best : (/\d+(\.\d+)+/.exec(specifier ?? '')?.[0] ?? best);
}

/**
 * uv's own Python of that version. Without links in the user's `bin`; asked twice at most, because a host that can't be
 * reached stays so.
 */
export async function fromUv(
  { range }: { readonly range: string | null },
  { dir, run, need }: Fetching,
): Promise<StepResult | null> {
  const uv = await need('uv');
  if (uv === undefined) return null;
  return run(uv, ['python', 'install', '--no-bin', '--install-dir', dir, range ?? pythonRequest(null)], {
    UV_HTTP_RETRIES: '1',
    UV_PYTHON_INSTALL_DIR: dir,
    UV_PYTHON_DOWNLOADS: 'manual',
  });
}
