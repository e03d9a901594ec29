/** fastmcp.json: what FastMCP's own program would run. Nothing in it is filled in: a `${VAR}` stays a name. */

import { asFields, asString, asStrings, readManifest } from '../parse.ts';
import { join } from '../paths.ts';
import type { FileView, Setting } from '../plan.ts';

export interface FastmcpConfig {
  readonly file: string;
  /** Python file below the tree, and the object (or function that makes one) in it. */
  readonly source: string;
  readonly object: string;
  /** Requirement lines, and the Python that it was tried with (PEP 440). */
  readonly dependencies: readonly string[];
  readonly prefersPython: string | null;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Variables that its values name. */
  readonly wants: readonly Setting[];
}

/** The names that FastMCP tries when none is given. */
const OBJECTS = ['mcp', 'server', 'app'];

/** Null when there is none, or it is another program's file of that name, or names a file that is not there. */
export function readFastmcpConfig(view: FileView, dir: string): FastmcpConfig | null {
  const file = join(dir, 'fastmcp.json');
  const parsed = readManifest(view, file);
  if (!parsed?.ok) return null;
  const { source, entrypoint, environment, deployment } = parsed.fields;
  // Early ones had the entry point at the top: a word, or file and object.
  const old = asFields(entrypoint);
  const written =
    asString(asFields(source).path) ?? asString(source) ?? asString(old.file) ?? asString(entrypoint) ?? '';
  const [path = '', named] = /^(.*\.py)(?::(\w+))?$/.exec(written)?.slice(1) ?? [];
  const target = join(dir, path);
  if (path === '' || target.startsWith('..') || !view.files.includes(target)) return null;
  const object =
    named ?? asString(asFields(source).entrypoint) ?? asString(old.object) ?? guessedObject(view.read(target) ?? '');
  if (object === null || !/^[A-Za-z_]\w*$/.test(object)) return null;
  const { dependencies, python } = asFields(environment);
  const { args, env } = asFields(deployment);
  const variables = Object.entries(asFields(env)).flatMap(([name, value]) =>
    typeof value === 'string' && /^[A-Za-z_]\w*$/.test(name) ? [[name, value] as const] : [],
  );
  return {
    file,
    source: target,
    object,
    dependencies: asStrings(dependencies),
    prefersPython: pythonOf(asString(python)),
    args: asStrings(args),
    // Set as it stands, `${KEY}` would hide the user's own KEY.
    env: Object.fromEntries(variables.filter(([, value]) => !value.includes('${'))),
    wants: variables.flatMap(([, value]) =>
      [...value.matchAll(/\$\{(\w+)\}/g)].map(([, name = '']) => ({
        name,
        required: false,
        secret: /KEY|TOKEN|SECRET|PASS/.test(name),
      })),
    ),
  };
}

const guessedObject = (text: string): string | null =>
  OBJECTS.find((name) => new RegExp(`^${name}\\b\\s*(?::[^=\\n]+)?=`, 'm').test(text)) ?? null;

const pythonOf = (version: string | null): string | null =>
  version === null ? null : /^\d+(\.\d+)*$/.test(version) ? `==${version}.*` : version;
