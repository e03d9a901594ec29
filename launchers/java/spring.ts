/** Spring's, Quarkus's and Micronaut's configuration files, as far as they say how the program serves. */

import { parseDocument } from 'yaml';
import { isFields } from '../parse.ts';
import { join } from '../paths.ts';
import type { FileView } from '../plan.ts';

/** Keys joined with dots; a later profile file overrides nothing, the first file that has a key keeps it. */
export type Properties = ReadonlyMap<string, string>;

const FOLDERS = ['src/main/resources', 'src/main/resources/config', 'config', ''];
const NAMES = ['application.properties', 'application.yml', 'application.yaml', 'bootstrap.yml'];

export const applicationFiles = (view: FileView, dir: string): string[] =>
  FOLDERS.flatMap((folder) => NAMES.map((name) => join(dir, folder, name))).filter((file) => view.files.includes(file));

export function readProperties(view: FileView, dir: string): Properties {
  const all = new Map<string, string>();
  for (const file of applicationFiles(view, dir)) {
    for (const [key, value] of propertiesOf(file, view.read(file) ?? '')) if (!all.has(key)) all.set(key, value);
  }
  return all;
}

/** Names of profiles that have a file of their own: `application-stdio.yml` → `stdio`. */
export const profiles = (view: FileView, dir: string): string[] =>
  [
    ...new Set(
      view.files.flatMap((file) => {
        const name = file.startsWith(`${join(dir, 'src/main/resources')}/`)
          ? file.slice(file.lastIndexOf('/') + 1)
          : '';
        return /^application-([\w-]+)\.(?:properties|ya?ml)$/.exec(name)?.[1] ?? [];
      }),
    ),
  ].sort();

export function propertiesOf(file: string, text: string): [key: string, value: string][] {
  return file.endsWith('.properties') ? fromProperties(text) : fromYaml(text);
}

const fromProperties = (text: string): [string, string][] =>
  [
    ...text.replaceAll(/\\\r?\n[ \t]*/g, '').matchAll(/^[ \t]*([^#!\s=:][^=:\s]*)[ \t]*[=:]?[ \t]*(.*?)[ \t]*\r?$/gm),
  ].map(([, key = '', value = '']) => [key, value]);

/** Of several documents the first counts; the others belong to profiles. */
function fromYaml(text: string): [string, string][] {
  const [first = ''] = text.split(/^---\s*$/m).filter((part) => part.trim() !== '');
  // `${X}` and `@x@` that a build fills in are no YAML.
  const document = parseDocument(first.replaceAll(/(:\s+)(@[^@\s]+@)/g, '$1"$2"'));
  if (document.errors.length > 0) return [];
  try {
    return flatten('', document.toJS({ maxAliasCount: 100 }));
  } catch {
    return [];
  }
}

function flatten(prefix: string, value: unknown): [string, string][] {
  if (isFields(value)) {
    return Object.entries(value).flatMap(([key, inner]) => flatten(prefix === '' ? key : `${prefix}.${key}`, inner));
  }
  if (Array.isArray(value)) return value.flatMap((inner, index) => flatten(`${prefix}[${index}]`, inner));
  return value === null || value === undefined ? [[prefix, '']] : [[prefix, String(value)]];
}

interface Placeholder {
  readonly property: string;
  readonly required: boolean;
}

/** `${API_KEY}`, `${API_KEY:}` and `${acme.api-key}` in values. */
function placeholders(text: string): Placeholder[] {
  return [...text.matchAll(/\$\{\s*([A-Za-z_][\w.-]*)\s*(:[^{}]*)?\}/g)]
    .filter(([, name = '']) => !FRAMEWORK.test(name))
    .map(([, property = '', fallback]) => ({ property, required: fallback === undefined }));
}

/** What the JVM, the build and the framework fill in by themselves. */
const FRAMEWORK =
  /^(user|java|os|random|project|pom|maven|spring|server|management|logging|quarkus|micronaut)\.|^(basedir|\d)/;

/** How Spring and Quarkus look for a property in the environment: `acme.api-key` → `ACME_API_KEY`. */
export const variableOf = (property: string): string =>
  /^[A-Z][A-Z0-9_]*$/.test(property) ? property : property.replaceAll(/[.-]/g, '_').toUpperCase();

/** What the configuration files leave to the environment, and what `@Value` reads that no file sets. */
export function springSettings(view: FileView, dir: string): { readonly name: string; readonly required: boolean }[] {
  const files = applicationFiles(view, dir);
  const found = files.flatMap((file) =>
    propertiesOf(file, view.read(file) ?? '').flatMap(([, value]) => placeholders(value)),
  );
  const known = readProperties(view, dir);
  for (const file of sourcesWithValues(view, dir)) {
    for (const [, property = '', fallback] of (view.read(file) ?? '').matchAll(
      /@(?:Value\(\s*"\\?\$\{|ConfigProperty\(\s*name\s*=\s*")([\w.-]+)(:[^}"]*)?/g,
    )) {
      found.push({ property, required: fallback === undefined });
    }
  }
  // What a file sets is filled in by itself.
  return found
    .filter(({ property }) => !known.has(property))
    .map(({ property, required }) => ({ name: variableOf(property), required }));
}

const sourcesWithValues = (view: FileView, dir: string): string[] => {
  const root = join(dir, 'src/main');
  return view.files.filter((file) => file.startsWith(`${root}/`) && /\.(java|kt)$/.test(file)).slice(0, 200);
};
