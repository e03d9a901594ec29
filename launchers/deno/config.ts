/** What we use of a Deno project's files: deno.json or deno.jsonc, a package.json beside it, the lock above it. */

import { sdkOf as npmSdkOf, type PackageJson } from '../node/package-json.ts';
import { packageAt } from '../node/workspace.ts';
import { asFields, asString, asStrings, type Fields, isFields, readManifest } from '../parse.ts';
import { join, relative, upwards } from '../paths.ts';
import type { FileView, Refusal } from '../plan.ts';

export interface DenoProject {
  /** deno.json or deno.jsonc; where there is none, the file that would be it. */
  readonly file: string;
  /** False for a folder that is Deno's by its sources alone. */
  readonly hasConfig: boolean;
  /** JSR name, '' when it has none. */
  readonly name: string;
  /** Task name → command line. */
  readonly tasks: ReadonlyMap<string, string>;
  /** Import map: what is written in an import → where it comes from. */
  readonly imports: readonly string[];
  /** Name of the export (`.`, `./stdio`) → file as written. */
  readonly exports: ReadonlyMap<string, string>;
  readonly packageJson: PackageJson | null;
  /** deno.lock of the project or of the workspace around it; null when there is none, or it is switched off. */
  readonly lock: string | null;
}

export const CONFIGS = ['deno.json', 'deno.jsonc'];

/** The config file of a folder, null when it has none. */
export const configOf = (view: FileView, dir: string): string | null =>
  CONFIGS.map((name) => join(dir, name)).find((file) => view.files.includes(file)) ?? null;

export function readDeno(view: FileView, dir: string): DenoProject | Refusal {
  const file = configOf(view, dir);
  const parsed = file === null ? null : readManifest(view, file);
  if (parsed !== null && !parsed.ok) return parsed.refusal;
  const fields = parsed?.fields ?? {};
  return {
    file: file ?? join(dir, 'deno.json'),
    hasConfig: file !== null,
    name: asString(fields.name) ?? '',
    tasks: tasksOf(fields),
    imports: [...importsOf(fields), ...importsOf(importMapOf(view, dir, fields))],
    exports: exportsOf(fields),
    packageJson: packageAt(view, dir),
    lock: lockOf(view, dir, fields),
  };
}

/** `"start": "deno run …"`, or `{"command": "…", "description": "…"}`. */
function tasksOf({ tasks }: Fields): Map<string, string> {
  const lines = Object.entries(asFields(tasks)).map(
    ([name, task]) => [name, asString(task) ?? asString(asFields(task).command)] as const,
  );
  return new Map(lines.flatMap(([name, line]) => (line === null ? [] : [[name, line]])));
}

const importsOf = ({ imports }: Fields): string[] =>
  Object.values(asFields(imports)).filter((target) => typeof target === 'string');

function importMapOf(view: FileView, dir: string, { importMap }: Fields): Fields {
  const path = asString(importMap);
  const parsed = path === null ? null : readManifest(view, join(dir, path));
  return parsed?.ok ? parsed.fields : {};
}

function exportsOf({ exports }: Fields): Map<string, string> {
  if (typeof exports === 'string') return new Map([['.', exports]]);
  return new Map(
    Object.entries(asFields(exports)).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}

function lockOf(view: FileView, dir: string, { lock }: Fields): string | null {
  if (lock === false) return null;
  const path = asString(lock) ?? asString(asFields(lock).path) ?? 'deno.lock';
  const roots = upwards(dir).filter((root) => root === dir || isMember(view, root, dir));
  return roots.map((root) => join(root, path)).find((file) => view.files.includes(file)) ?? null;
}

/** True when the workspace that `root` declares covers `dir`. */
function isMember(view: FileView, root: string, dir: string): boolean {
  const file = configOf(view, root);
  const parsed = file === null ? null : readManifest(view, file);
  const { workspace } = parsed?.ok ? parsed.fields : {};
  const members = isFields(workspace) ? asStrings(workspace.members) : asStrings(workspace);
  return members.some((member) => join(member) === relative(root, dir));
}

/** Packages with which MCP servers are written, wherever they come from. */
const SDK =
  /(?:^|npm:\/?|\/)(@modelcontextprotocol\/(?:sdk|server)|fastmcp|mcp-lite|@hono\/mcp|mcp-framework|xmcp|tmcp|@modelfetch\/deno)(?=[@/]|$)|^jsr:\/?(@[\w-]+\/[\w-]*mcp[\w-]*)/;

/** Name of the MCP package that the project or one of the given sources imports, null when none does. */
export function sdkOf({ imports, packageJson }: DenoProject, sources: readonly string[]): string | null {
  const declared = imports.map(sdkIn).find((name) => name !== null);
  return declared ?? (packageJson && npmSdkOf(packageJson)) ?? sources.map(sdkImported).find((name) => name) ?? null;
}

const sdkIn = (target: string): string | null => {
  const match = SDK.exec(target);
  return match?.[1] ?? match?.[2] ?? null;
};

const sdkImported = (text: string): string | null => {
  const specifiers = [...text.matchAll(/\b(?:from|import)\s*\(?\s*["']([^"'\n]+)["']/g)].map((match) => match[1] ?? '');
  return specifiers.map(sdkIn).find((name) => name !== null) ?? null;
};
