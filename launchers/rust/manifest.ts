/** Cargo.toml as cargo reads it: a package's programs by its rules of discovery, its dependencies, its features. */

import { asFields, asString, asStrings, type Fields } from '../parse.ts';
import { basename, dirname, isBelow, join, relative } from '../paths.ts';
import type { FileView } from '../plan.ts';

export interface CargoBin {
  readonly name: string;
  /** Its main file below the root; null when the manifest names one that is not there. */
  readonly path: string | null;
  readonly requiredFeatures: readonly string[];
}

export interface CargoDependency {
  /** Of the package, whatever it is called here. */
  readonly name: string;
  /** What features call it. */
  readonly key: string;
  readonly optional: boolean;
  /** Folder below the root of a path dependency, null for one of a registry or of git. */
  readonly path: string | null;
  /** True when its features make it a client and no server. */
  readonly isClient: boolean;
}

export interface CargoPackage {
  readonly dir: string;
  readonly file: string;
  readonly name: string;
  readonly bins: readonly CargoBin[];
  readonly defaultRun: string | null;
  /** Without those for tests and for build scripts. */
  readonly dependencies: readonly CargoDependency[];
  /** Feature → what it turns on. */
  readonly features: Readonly<Record<string, readonly string[]>>;
  /** Oldest Rust that can build it, by what it declares; null when it doesn't. */
  readonly rustVersion: string | null;
  readonly edition: string;
}

/** `[workspace.package]` and `[workspace.dependencies]`, from which members inherit. */
export interface Inherited {
  readonly dir: string;
  readonly package: Fields;
  readonly dependencies: Fields;
}

export const NOTHING_INHERITED: Inherited = { dir: '', package: {}, dependencies: {} };

/** The package of a parsed Cargo.toml; null for a workspace without a package of its own. */
export function toPackage(view: FileView, dir: string, fields: Fields, inherited: Inherited): CargoPackage | null {
  const declared = asFields(fields.package ?? fields.project);
  const name = asString(declared.name);
  if (name === null) return null;
  const own = (key: string): unknown =>
    asFields(declared[key]).workspace === true ? inherited.package[key] : declared[key];
  return {
    dir,
    file: join(dir, 'Cargo.toml'),
    name,
    bins: binsOf(view, dir, name, fields),
    defaultRun: asString(declared['default-run']),
    dependencies: dependenciesOf(dir, fields, inherited),
    features: Object.fromEntries(
      Object.entries(asFields(fields.features)).map(([key, value]) => [key, asStrings(value)]),
    ),
    rustVersion: asString(own('rust-version')),
    edition: asString(own('edition')) ?? '2015',
  };
}

function binsOf(view: FileView, dir: string, packageName: string, fields: Fields): CargoBin[] {
  const declared = (Array.isArray(fields.bin) ? fields.bin : []).map(asFields);
  const found = discovered(view, dir, packageName);
  const bins = declared.flatMap((bin): CargoBin[] => {
    const name = asString(bin.name);
    if (name === null) return [];
    const given = asString(bin.path);
    // Cargo takes src/main.rs for the only program also when that is not called like the package.
    const main = declared.length === 1 ? join(dir, 'src/main.rs') : null;
    const paths = given === null ? [found.get(name), main] : [join(dir, given)];
    const path = paths.find((each) => each != null && view.files.includes(each)) ?? null;
    return [{ name, path, requiredFeatures: asStrings(bin['required-features']) }];
  });
  if (asFields(fields.package).autobins === false) return bins;
  const more = [...found].filter(([name, path]) => bins.every((bin) => bin.name !== name && bin.path !== path));
  return [...bins, ...more.map(([name, path]) => ({ name, path, requiredFeatures: [] }))];
}

/** `src/main.rs`, `src/bin/x.rs`, `src/bin/x/main.rs`: name → main file. */
function discovered(view: FileView, dir: string, packageName: string): Map<string, string> {
  const found = new Map<string, string>();
  const main = join(dir, 'src/main.rs');
  if (view.files.includes(main)) found.set(packageName, main);
  const bin = join(dir, 'src/bin');
  for (const file of view.files) {
    if (!isBelow(file, bin)) continue;
    const [, name] = /^([^/]+)(?:\.rs|\/main\.rs)$/.exec(relative(bin, file)) ?? [];
    if (name !== undefined) found.set(name, file);
  }
  return found;
}

function dependenciesOf(dir: string, fields: Fields, inherited: Inherited): CargoDependency[] {
  const targets = Object.values(asFields(fields.target)).map((target) => asFields(target).dependencies);
  return [fields.dependencies, ...targets].flatMap((table) =>
    Object.entries(asFields(table)).map(([key, value]) => {
      const own = asFields(value);
      const isInherited = own.workspace === true;
      const from = isInherited ? asFields(inherited.dependencies[key]) : own;
      const path = asString(from.path);
      const features = [...asStrings(from.features), ...asStrings(own.features)];
      const isServer = from['default-features'] !== false || features.some((feature) => /server/.test(feature));
      return {
        name: asString(from.package) ?? key,
        key,
        optional: own.optional === true,
        path: path === null ? null : join(isInherited ? inherited.dir : dir, path),
        isClient: !isServer && features.includes('client'),
      };
    }),
  );
}

/**
 * Crates that speak MCP for their users: the official one, the better known others, and whatever comes from a registry or
 * from git with the word in its name. What lies in the repository itself says nothing.
 */
export const isSdk = ({ name, path, isClient }: CargoDependency): boolean =>
  path === null &&
  !isClient &&
  /^(rmcp|pmcp|mcpr|mcpx|turbomcp|ultrafast-mcp)$|(^|[-_])[rp]?mcp(?=[-_]|$)|mcpserver/.test(name);

/** Frameworks that serve HTTP: without any of these and without MCP a program is no server. */
export const servesHttp = ({ dependencies }: CargoPackage): boolean =>
  dependencies.some(({ name }) =>
    /^(axum|actix-web|warp|rocket|hyper|poem|salvo|tide|tiny_http|rouille|ntex)$/.test(name),
  );

/** True for folders of a workspace that hold no plugin. */
export const isAside = (root: string, dir: string): boolean =>
  relative(root, dir)
    .split('/')
    .some((part) =>
      /^(examples?|tests?|benche?s?|benchmarks?|fuzz|xtask|fixtures|docs?|vendor|third[-_]party)$/.test(part),
    ) || basename(dirname(dir)) === 'vendor';
