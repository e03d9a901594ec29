/** Packages of npm and PyPI. */

import type { SourceOf } from '../../launchers/plan.ts';
import { decoded, type Found, quoted, readAddress, refused, splitOnce } from './parts.ts';

type FoundPackage = Found & { readonly source: SourceOf<'package'> };
type Registry = SourceOf<'package'>['registry'];

const NPM_NAME = /^(@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~_][a-z0-9._~-]*$/i;
/** With extras; PEP 508. */
const PYPI_NAME = /^[a-z0-9]([a-z0-9._-]*[a-z0-9])?(\[[a-z0-9,._ -]+\])?$/i;
/** Versions, tags and ranges; nothing that is an option, a path or an address. */
const VERSION = /^[\w.*^~<>=!][\w.*+^~<>=|!, -]*$/;

/**
 * `npm:name@v`, `pypi:name==v`, their `pkg:` URLs, their pages, and what can be nothing else: `@scope/name`, `name==1.0`.
 */
export function readPackage(place: string): FoundPackage | null {
  const [, scheme = '', spec = ''] = /^(npm|pypi):(.*)$/is.exec(place) ?? [];
  if (scheme !== '') return readSpec(scheme.toLowerCase() as Registry, spec, place);
  const [, type = '', coordinates = ''] = /^pkg:(npm|pypi)\/([^?#]+)/i.exec(place) ?? [];
  if (type !== '') return readSpec(type.toLowerCase() as Registry, decoded(coordinates), place);
  if (/^@[\w.~-]+\/[\w.~-]+(@[^@/:]+)?$/.test(place)) return readSpec('npm', place, place);
  if (/^[\w.-]+(\[[\w,.-]+\])?==[\w.*+!]+$/.test(place)) return readSpec('pypi', place, place);
  return page(place);
}

/** A name and what of it is wanted, as the runners of each registry write it. */
export function readSpec(registry: Registry, spec: string, shown: string): FoundPackage {
  const [name = '', version] = registry === 'npm' ? splitNpm(spec) : splitPypi(spec);
  const isName = (registry === 'npm' ? NPM_NAME : PYPI_NAME).test(name);
  const wanted = version === undefined || version === '' || version === 'latest' ? null : checkedVersion(version);
  if (!isName) {
    const form = registry === 'npm' ? 'npm:name, npm:@scope/name@1.2.3' : 'pypi:name, pypi:name==1.2.3';
    throw refused(`${quoted(shown)} does not name a package.`, { hint: `Write ${form}.` });
  }
  return { source: { kind: 'package', registry, name, version: wanted, subdir: '' } };
}

export function checkedVersion(version: string): string {
  if (!VERSION.test(version)) throw refused(`'${version}' can't be a version of a package.`);
  return version;
}

export const isNpmName = (text: string): boolean => NPM_NAME.test(splitNpm(text)[0] ?? '');
export const isPypiName = (text: string): boolean => PYPI_NAME.test(splitPypi(text)[0] ?? '');

function splitNpm(spec: string): string[] {
  const [name = '', version] = splitOnce(spec.slice(1), '@');
  return [spec.slice(0, 1) + name, ...(version === undefined ? [] : [version])];
}

/** `name==1.0`, `name>=1,<2`, and uvx's `name@1.0`. */
function splitPypi(spec: string): string[] {
  const [, name = spec, operator = '', version] = /^([^@=<>~!]*?)\s*(@|==|(?=[<>~!=]))\s*(.*)$/s.exec(spec) ?? [];
  return [name.trim(), ...(version === undefined || (operator === '' && version === '') ? [] : [version.trim()])];
}

/** `https://…/package/@scope/name/v/1.0` and `https://…/project/name/1.0/`, known by the host's first word and the path. */
function page(place: string): FoundPackage | null {
  const address = /^(?:https?:\/\/)?(?:\w+\.)?(npm|pypi)/i.test(place)
    ? readAddress(/^https?:/i.test(place) ? place : `https://${place}`)
    : null;
  if (address === null) return null;
  const path = decoded(address.path);
  const [, npm, version = ''] = /^\/package\/((?:@[^/]+\/)?[^/@]+)(?:\/v\/([^/]+))?\/*$/.exec(path) ?? [];
  if (npm !== undefined && /^(\w+\.)?npm/i.test(address.host)) return readSpec('npm', `${npm}@${version}`, place);
  const [, project, release = ''] = /^\/project\/([^/]+)(?:\/([^/#]+))?\/*$/.exec(path) ?? [];
  return project !== undefined && /^(\w+\.)?pypi/i.test(address.host)
    ? readSpec('pypi', `${project}@${release}`, place)
    : null;
}
