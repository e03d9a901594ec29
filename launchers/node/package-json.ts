/** What we use of a package.json; fields of a wrong type count as absent, as npm treats most of them. */

import { unscoped } from '../identity.ts';
import { asFields, asString, asStrings, type Fields, isFields } from '../parse.ts';
import { join } from '../paths.ts';

export interface PackageJson {
  /** '' when it has none. */
  readonly name: string;
  /** Program name → file, as written. */
  readonly bin: ReadonlyMap<string, string>;
  readonly main: string | null;
  readonly scripts: Readonly<Record<string, string>>;
  /** Names of all dependencies, whatever their kind. */
  readonly dependencies: ReadonlyMap<string, string>;
  /** Globs; null when it declares no workspaces. */
  readonly workspaces: readonly string[] | null;
  readonly isPrivate: boolean;
  readonly fields: Fields;
}

export function toPackageJson(fields: Fields): PackageJson {
  const name = asString(fields.name) ?? '';
  const { workspaces } = fields;
  return {
    name,
    bin: binOf(fields, name),
    main: asString(fields.main),
    scripts: strings(fields.scripts),
    dependencies: new Map(
      ['dependencies', 'devDependencies', 'optionalDependencies', 'peerDependencies'].flatMap((kind) =>
        Object.entries(strings(fields[kind])),
      ),
    ),
    workspaces: Array.isArray(workspaces)
      ? asStrings(workspaces)
      : isFields(workspaces)
        ? asStrings(workspaces.packages)
        : null,
    isPrivate: fields.private === true,
    fields,
  };
}

function binOf({ bin }: Fields, name: string): Map<string, string> {
  if (typeof bin === 'string') return bin === '' ? new Map() : new Map([[unscoped(name) || 'bin', bin]]);
  return new Map(Object.entries(strings(bin)));
}

const strings = (value: unknown): Record<string, string> =>
  Object.fromEntries(
    Object.entries(asFields(value)).filter(
      (entry): entry is [string, string] => typeof entry[1] === 'string' && entry[1] !== '',
    ),
  );

/** Packages with which MCP servers are written. */
const SDK =
  /^(@modelcontextprotocol\/(sdk|server|core|node|express|hono|fastify)|fastmcp|mcp-framework|mcp-handler|@vercel\/mcp-adapter|xmcp|tmcp|@hono\/mcp|mcp-lite|@mastra\/mcp|@nestjs-mcp\/server|easy-mcp|litemcp|muppet|@rekog\/mcp-nest)$/;

/** True for the name of a package with which servers are written. */
export const isSdk = (name: string): boolean => SDK.test(name);

/** Name of the MCP package that it depends on, null when there is none. */
export const sdkOf = ({ dependencies }: PackageJson): string | null =>
  [...dependencies.keys()].find((name) => SDK.test(name)) ?? null;

/** True when npm understands every version that it names. */
export const isForNpm = ({ dependencies }: PackageJson): boolean =>
  [...dependencies.values()].every((version) => !/^(workspace|catalog|link|portal|patch):/.test(version));

/** `./dist/index.js` of a package in `dir`, as a path below the tree; null when it leads out of it. */
export function fileBelow(dir: string, file: string): string | null {
  const path = join(dir, file);
  return path === '' || path.startsWith('..') || file.startsWith('/') ? null : path;
}
