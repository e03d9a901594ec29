/** Which features a build is asked for: those that the program needs, and those that can be done without. */

import type { FileView } from '../plan.ts';
import type { Program } from './choose.ts';
import { type CargoPackage, isSdk } from './manifest.ts';
import { needsSystemLibrary } from './system-libraries.ts';

/** Features that are on by default, with those that they turn on. */
function closure({ features }: CargoPackage, from: readonly string[]): Set<string> {
  const on = new Set<string>();
  const visit = (feature: string): void => {
    if (on.has(feature) || features[feature] === undefined) return;
    on.add(feature);
    for (const next of features[feature]) visit(next);
  };
  for (const each of from) visit(each);
  return on;
}

/** Keys of the optional dependencies that a feature turns on by itself (`dep:x`, `x`, `x/feature`). */
const turnsOn = ({ features, dependencies }: CargoPackage, feature: string): string[] =>
  (features[feature] ?? []).flatMap((word) => {
    const key = /^(?:dep:)?([^/?]+)(?:\/.*)?$/.exec(word)?.[1];
    return dependencies.some((each) => each.optional && each.key === key) ? (key ?? []) : [];
  });

/** What the manifest says that the program needs, and the feature without which it would be built without MCP. */
export function neededFeatures({ package: owner, bin }: Program): string[] {
  const on = closure(owner, ['default', ...bin.requiredFeatures]);
  const sdks = owner.dependencies.filter(isSdk);
  const has = ({ key, optional }: (typeof sdks)[number]) =>
    !optional || [...on].some((feature) => turnsOn(owner, feature).includes(key));
  if (sdks.length === 0 || sdks.some(has)) return [...bin.requiredFeatures];
  const wanted = Object.keys(owner.features)
    .filter((feature) => sdks.some(({ key }) => turnsOn(owner, feature).includes(key)))
    .sort((a, b) => Number(/mcp/.test(b)) - Number(/mcp/.test(a)));
  // An optional dependency that no feature names is a feature of its own.
  return [...bin.requiredFeatures, wanted[0] ?? sdks[0]?.key ?? []].flat();
}

/**
 * The default features without those that need a library of the system which the program could do without; null when
 * there are none, or no lock file that tells.
 */
export function frugalFeatures(
  view: FileView,
  lock: string | null,
  { package: owner, bin }: Program,
): { readonly left: readonly string[]; readonly without: readonly string[] } | null {
  const defaults = owner.features.default ?? [];
  const optional = defaults.filter((feature) => !bin.requiredFeatures.includes(feature));
  if (lock === null || optional.length === 0) return null;
  const graph = lockedCrates(view.read(lock) ?? '');
  const librariesOf = (keys: readonly string[]) => {
    const names = owner.dependencies.filter(({ key }) => keys.includes(key)).map(({ name }) => name);
    return reached(graph, names).filter(needsSystemLibrary);
  };
  const always = librariesOf(owner.dependencies.flatMap((each) => (each.optional ? [] : each.key)));
  const without = optional.filter((feature) => {
    const keys = [...closure(owner, [feature])].flatMap((each) => turnsOn(owner, each));
    return librariesOf(keys).some((crate) => !always.includes(crate));
  });
  return without.length === 0 ? null : { left: defaults.filter((feature) => !without.includes(feature)), without };
}

/** Cargo.lock as crate → the crates that it depends on. Versions play no part. */
function lockedCrates(text: string): Map<string, readonly string[]> {
  const crates = new Map<string, readonly string[]>();
  for (const block of text.split('[[package]]').slice(1)) {
    const name = /^name = "([^"]+)"/m.exec(block)?.[1] ?? '';
    const list = /^dependencies = \[([^\]]*)\]/m.exec(block)?.[1] ?? '';
    const dependencies = [...list.matchAll(/"([^" ]+)/g)].map((match) => match[1] ?? '');
    crates.set(name, [...(crates.get(name) ?? []), ...dependencies]);
  }
  return crates;
}

function reached(graph: ReadonlyMap<string, readonly string[]>, from: readonly string[]): string[] {
  const found = new Set<string>();
  const queue = [...from];
  for (let crate = queue.pop(); crate !== undefined; crate = queue.pop()) {
    if (found.has(crate)) continue;
    found.add(crate);
    queue.push(...(graph.get(crate) ?? []));
  }
  return [...found];
}
