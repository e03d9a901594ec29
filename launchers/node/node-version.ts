import semver from 'semver';
import { join } from '../paths.ts';
import type { FileView, LaunchPlan } from '../plan.ts';

/** Long-term releases that have what older ones lack; the newest first. */
const NEWER = ['>=24', '^22'];

/**
 * The Node to take once the one at hand was too old for what `engines` did not say. What its authors use themselves
 * (.nvmrc and its like) is no requirement, most run on less; but then it is the best guess.
 */
export function newerNode(
  view: FileView,
  dir: string,
  root: string,
  engines: string | null,
): Pick<LaunchPlan, 'newerTools'> {
  const theirs = [dir, root].map((folder) => preferred(view, folder)).find((version) => version !== null);
  const ranges = [...(theirs == null || semver.lt(theirs, '22.0.0') ? [] : [`>=${theirs}`]), ...NEWER];
  const version = ranges.find((range) => engines === null || semver.intersects(range, engines));
  return version === undefined ? {} : { newerTools: [{ name: 'node', version }] };
}

function preferred(view: FileView, dir: string): string | null {
  const text = (name: string) => (view.files.includes(join(dir, name)) ? (view.read(join(dir, name)) ?? '') : '');
  const said = [
    text('.nvmrc'),
    text('.node-version'),
    /^node(?:js)?\s+(\S+)/m.exec(text('.tool-versions'))?.[1] ?? '',
    /^\s*node(?:js)?\s*=\s*["']?([\d.]+)/m.exec(text('mise.toml'))?.[1] ?? '',
    /"volta"\s*:\s*\{[^}]*"node"\s*:\s*"([^"]+)"/.exec(text('package.json'))?.[1] ?? '',
  ];
  // `lts/*` and code names are no numbers, and leave the choice.
  return (
    said.map((version) => semver.coerce(version.trim())?.version ?? null).find((version) => version !== null) ?? null
  );
}
