/**
 * The MCP registry's server.json (schemas 2025-07 in snake_case, 2025-09 to 2025-12 in camelCase): what it says of the
 * package that this folder is. It describes the published package, so it only completes what the runtime's rules found;
 * copies in repositories are often templates (`${VERSION}`), and those words are left out.
 */

import { asFields, asString, type Fields, readManifest } from './parse.ts';
import { join, upwards } from './paths.ts';
import type { Evidence, FileView, LaunchPlan, Transport } from './plan.ts';

/** One entry of `packages`, as far as it can be trusted in a checkout. */
export interface RegistryPackage {
  readonly file: string;
  readonly transport: Transport;
  /** Path of the transport's URL, null where it has none. */
  readonly endpoint: string | null;
  /** Words with a value of their own and names of options, in order, up to the first word that someone has to choose. */
  readonly args: readonly string[];
  /** Arguments that hand over the port, with `{port}` in them. */
  readonly portArgs: readonly string[];
  /** Variables whose value the entry fixes. */
  readonly env: Readonly<Record<string, string>>;
}

/** Entries for a program of this name, a stdio one first: it needs no port. Images are not what a checkout starts. */
export function registryPackages(
  view: FileView,
  dir: string,
  isProgram: (word: string) => boolean,
): readonly RegistryPackage[] {
  // NuGet packs it in a folder of its own.
  const files = upwards(dir).flatMap((folder) => [join(folder, 'server.json'), join(folder, '.mcp/server.json')]);
  for (const file of files) {
    const parsed = view.files.includes(file) ? readManifest(view, file) : null;
    const packages = parsed?.ok && Array.isArray(parsed.fields.packages) ? parsed.fields.packages : [];
    const own = packages
      .map(asFields)
      .filter((each) => asString(each.registryType ?? each.registry_type ?? each.registry_name) !== 'oci')
      .filter(({ identifier, name }) => isProgram(asString(identifier) ?? asString(name) ?? ''))
      .map((each) => toPackage(file, each));
    if (own.length > 0) return own.sort((a, b) => Number(a.transport !== 'stdio') - Number(b.transport !== 'stdio'));
  }
  return [];
}

/** `repository.subfolder` of the root's server.json: where in a monorepo the server is; null when it says nothing. */
export function registrySubfolder(view: FileView): string | null {
  const parsed = view.files.includes('server.json') ? readManifest(view, 'server.json') : null;
  const subfolder = asString(asFields(parsed?.ok ? parsed.fields.repository : null).subfolder);
  const folder = subfolder === null ? '' : join(subfolder);
  return folder === '' || folder.startsWith('..') || !view.has(folder) ? null : folder;
}

/** The plan with the transport, the port's argument and the fixed variables of its registry entry. */
export function withRegistryEntry(plan: LaunchPlan, entry: RegistryPackage | undefined): LaunchPlan {
  if (entry === undefined) return plan;
  const isHttp = entry.transport !== 'stdio' && plan.transport === 'auto';
  const says = isHttp ? [`talks over ${entry.transport}${entry.endpoint === null ? '' : ` at ${entry.endpoint}`}`] : [];
  const names = Object.keys(entry.env);
  if (names.length > 0) says.push(`sets ${names.join(', ')}`);
  const evidence: readonly Evidence[] = says.map((each) => ({ file: entry.file, says: each }));
  return {
    ...plan,
    ...(isHttp ? { transport: entry.transport, endpoint: entry.endpoint ?? plan.endpoint } : {}),
    port: entry.portArgs.length > 0 && isHttp ? { ...plan.port, args: entry.portArgs } : plan.port,
    env: { ...plan.env, ...entry.env },
    evidence: [...plan.evidence, ...evidence],
  };
}

function toPackage(file: string, fields: Fields): RegistryPackage {
  const { transport, packageArguments, package_arguments, environmentVariables, environment_variables } = fields;
  const { type, url } = asFields(transport);
  const known = { 'streamable-http': 'streamable-http', sse: 'sse' } as const;
  return {
    file,
    transport: known[type as keyof typeof known] ?? 'stdio',
    endpoint: /^[a-z]+:\/\/[^/]+(\/[^?#{}]*)/.exec(asString(url) ?? '')?.[1] ?? null,
    ...toArguments(packageArguments ?? package_arguments),
    env: toEnv(environmentVariables ?? environment_variables),
  };
}

function toArguments(given: unknown): Pick<RegistryPackage, 'args' | 'portArgs'> {
  const args: string[] = [];
  const portArgs: string[] = [];
  for (const each of Array.isArray(given) ? given.map(asFields) : []) {
    const name = asString(each.name);
    const value = asString(each.value);
    if (value !== null && /^\{port\}$/i.test(value)) {
      portArgs.push(...(name === null ? [] : [name]), '{port}');
    } else if (value !== null && isLiteral(value)) {
      args.push(...(name === null ? [] : [name]), value);
    } else if (name !== null && value === null && each.default === undefined) {
      args.push(name);
    } else if (name === null) {
      // What stands behind a word that someone has to choose would take its place.
      break;
    }
  }
  return { args, portArgs };
}

function toEnv(given: unknown): Record<string, string> {
  const fixed = (Array.isArray(given) ? given.map(asFields) : []).flatMap(({ name, value }) =>
    typeof name === 'string' && typeof value === 'string' && isLiteral(value) ? [[name, value] as const] : [],
  );
  return Object.fromEntries(fixed);
}

/** No template's hole in it. */
const isLiteral = (value: string): boolean => !/[{}$]/.test(value);
