/**
 * The one source grammar, `<source>[#[ref][:subdir]]`. Pure: looks at the text alone, never at the
 * disk or the network. Everything here throws CONFIG_SOURCE and nothing else, with any login left out of the message.
 */

import { createHash } from 'node:crypto';
import { homedir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { sourceKey } from '../actors/store/keys.ts';
import type { Credential, Source } from '../launchers/plan.ts';
import { createCredential } from './credential.ts';
import { supervisorError } from './errors.ts';

export interface ParsedSource {
  readonly source: Source;
  /** Login that stood in the URL: for the clone alone, never stored. */
  readonly credential: Credential | null;
}

export interface SourceOptions {
  /** Wins over the source's own `#ref`; CONFIG_SOURCE for a folder. */
  readonly ref?: string | undefined;
  /** Wins over the source's own `#:subdir`. */
  readonly subdir?: string | undefined;
  /** What a relative folder is relative to; default the working folder. */
  readonly cwd?: string;
  /** What `~` is; default the user's home folder. */
  readonly userHome?: string;
}

/** What one form of the grammar makes of a text; `place` has no fragment any more. */
interface Found {
  readonly kind: Source['kind'];
  readonly place: string;
  readonly ref?: string | undefined;
  readonly subdir?: string | undefined;
  readonly credential?: Credential | undefined;
}

export function parseSource(text: string, options: SourceOptions = {}): ParsedSource {
  const trimmed = text.trim();
  if (trimmed === '') throw refused('The source is empty.');
  if (/[\s\p{Cc}]/u.test(trimmed.replace(/ /g, '')) || trimmed.startsWith('-')) {
    throw refused(`${quoted(trimmed)} is not a source.`);
  }
  const { place, fragment } = splitFragment(trimmed);
  refuseLaterKinds(trimmed, place);
  const found = folder(place, options) ?? gitPlus(place) ?? url(place) ?? scpForm(place) ?? forgeName(place);
  if (found === null) throw unknownForm(trimmed);
  const own = fragment === null ? {} : parseFragment(fragment, place);
  return {
    source: pinSource(toSource(found), {
      ref: options.ref ?? own.ref ?? found.ref,
      subdir: options.subdir ?? own.subdir ?? found.subdir,
    }),
    credential: found.credential ?? null,
  };
}

/** The source with another ref or subfolder, both checked; undefined leaves it as it is. */
export function pinSource(source: Source, pin: Pick<SourceOptions, 'ref' | 'subdir'>): Source {
  const subdir = pin.subdir === undefined ? source.subdir : checkedSubdir(pin.subdir);
  if (pin.ref === undefined) return { ...source, subdir };
  if (source.kind === 'folder') {
    throw refused(`A folder has no branches, so '${pin.ref}' can't be taken from ${quoted(source.path)}.`, {
      hint: `Leave the ref out, or clone it: file://${source.path}#${pin.ref}`,
    });
  }
  return { ...source, subdir, ref: checkedRef(pin.ref) };
}

/** One line for people; parses back to the same source. */
export function showSource(source: Source): string {
  const place = source.kind === 'git' ? source.url : source.path;
  const ref = source.kind === 'git' ? (source.ref ?? '') : '';
  const subdir = source.subdir === '' ? '' : `:${source.subdir}`;
  return ref === '' && subdir === '' ? place : `${place}#${ref}${subdir}`;
}

/** Stable name of an unnamed source, e.g. `server-time-1a2b3c`: repository, subfolder's last part, hash. */
export function defaultName(source: Source): string {
  const place = source.kind === 'git' ? source.url : source.path;
  const parts = [place.replace(/\/+$/, '').replace(/^.*[/:]/, ''), source.subdir === '' ? '' : basename(source.subdir)];
  const slug = parts
    .join('-')
    .toLowerCase()
    .replace(/\.git(?=-|$)/, '')
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 48)
    .replace(/^-+|-+$/g, '');
  const hash = createHash('sha256')
    .update(`${sourceKey(source)}\n${source.subdir}`)
    .digest('hex')
    .slice(0, 6);
  return slug === '' ? hash : `${slug}-${hash}`;
}

const toSource = ({ kind, place }: Found): Source =>
  kind === 'git' ? { kind, url: place, ref: null, subdir: '' } : { kind, path: place, subdir: '' };

// ---- the forms ----

/** `.`, `./x`, `../x`, `~/x` and absolute paths. */
function folder(place: string, { cwd = process.cwd(), userHome = homedir() }: SourceOptions): Found | null {
  if (!/^(\.{1,2}|~)?(\/|$)/.test(place)) return null;
  return { kind: 'folder', place: place.startsWith('~') ? join(userHome, place.slice(1)) : resolve(cwd, place) };
}

/** What pip takes: `git+https://host/o/n.git@ref`, with `#subdirectory=dir`. */
function gitPlus(place: string): Found | null {
  if (!place.startsWith('git+')) return null;
  const inner = place.slice('git+'.length);
  const [, address = inner, ref] = /^([a-z]+:\/\/[^/]*\/.*?)@([^@]+)$/.exec(inner) ?? [];
  const found = url(address);
  return found && { ...found, ref: ref ?? found.ref };
}

const SCHEMES = ['https', 'http', 'ssh', 'file'];

function url(place: string): Found | null {
  const match = /^([a-z][a-z0-9+.-]*):\/\/([^/?#]*)([^?#]*)/i.exec(place);
  if (match === null) return null;
  const [, scheme = '', authority = '', path = ''] = match;
  const protocol = scheme.toLowerCase();
  if (!SCHEMES.includes(protocol)) throw refused(`Sources over ${protocol}:// are not supported.`);
  const at = authority.lastIndexOf('@');
  const host = authority.slice(at + 1);
  const [user = '', password = ''] = splitOnce(at === -1 ? '' : authority.slice(0, at), ':');
  if (protocol === 'file') {
    if (host !== '' && host !== 'localhost') throw refused(`file:// has no host; got '${host}'.`);
    return { kind: 'git', place: `file://${withoutSlash(path) || '/'}` };
  }
  if (host === '' || host.startsWith('-') || !URL.canParse(`${protocol}://${host}/`)) {
    throw refused(`${quoted(place)} has no valid host.`);
  }
  // ssh's user is no secret, and its password is nothing that ssh would take.
  if (protocol === 'ssh') {
    return { kind: 'git', place: `ssh://${user === '' ? '' : `${checkedUser(user)}@`}${host}${withoutSlash(path)}` };
  }
  const credential = user === '' && password === '' ? undefined : createCredential(decoded(user), decoded(password));
  return { ...pasted(`${protocol}://${host}`, host, path, place), credential };
}

/** `https://host/o/n/tree/<ref>/<dir>` as the big hosts' pages have it; a ref with a slash needs `#ref` instead. */
function pasted(origin: string, host: string, path: string, place: string): Found {
  const clean = withoutSlash(path);
  const page =
    /^(\/.+?)\/-\/(?:tree|blob)\/([^/]+)(?:\/(.*))?$/.exec(clean) ??
    /^(\/[^/]+\/[^/]+)\/(?:tree|blob|src\/branch|src\/tag|src\/commit)\/([^/]+)(?:\/(.*))?$/.exec(clean);
  if (page === null) {
    if (host.toLowerCase() === 'github.com' && clean.split('/').length !== 3) {
      throw refused(`${quoted(place)} is not a repository.`, { hint: 'Give https://github.com/owner/name.' });
    }
    return { kind: 'git', place: `${origin}${clean}` };
  }
  const [, repository = '', ref = '', below = ''] = page;
  const isFile = /\/(?:-\/)?blob\//.test(clean.slice(repository.length));
  return {
    kind: 'git',
    place: `${origin}${repository}`,
    ref: decoded(ref),
    subdir: decoded(isFile ? below.split('/').slice(0, -1).join('/') : below),
  };
}

/** `git@host:o/n.git`. Kept as it is: unlike in `ssh://`, a relative path starts at the user's home on the host. */
function scpForm(place: string): Found | null {
  const match = /^(?:([^@/:]+)@)?([^@/:]+):(?!\/\/)(.+)$/.exec(place);
  if (match === null) return null;
  const [, user, host = '', path = ''] = match;
  // Without a user only a dot tells a host from a scheme such as `github:`; `ext::` and the like run programs.
  if (path.startsWith(':') || host.startsWith('-') || (user === undefined && !host.includes('.'))) return null;
  return { kind: 'git', place: `${user === undefined ? '' : `${checkedUser(user)}@`}${host}:${withoutSlash(path)}` };
}

/** `github:owner/name` and `owner/name`. */
function forgeName(place: string): Found | null {
  const match = /^(?:github:)?([A-Za-z0-9][A-Za-z0-9-]*)\/([A-Za-z0-9._-]+?)(?:\.git)?\/?$/.exec(place);
  if (match === null || /^\.+$/.test(match[2] ?? '')) return null;
  return { kind: 'git', place: `https://github.com/${match[1]}/${match[2]}.git` };
}

/** Forms of the grammar that this version does not read yet, and what would be mistaken for a repository. */
function refuseLaterKinds(text: string, place: string): void {
  const later = (what: string) => refused(`${quoted(text)}: ${what} can't be used as a source yet.`);
  const path = place.replace(/[?].*$/, '');
  if (/\.(zip|tar\.gz|tgz|mcpb)$/i.test(path)) throw later('an archive');
  if (/^npm:/i.test(place)) throw later('an npm package');
  if (/^pypi:/i.test(place)) throw later('a PyPI package');
  // Repositories have an owner and a name; one single `/mcp` or `/sse` is the endpoint of a running server.
  if (/^https?:\/\/[^/]+\/(mcp|sse)\/?$/i.test(path)) throw later('the address of a running server');
}

// ---- the parts ----

function splitFragment(text: string): { place: string; fragment: string | null } {
  const hash = text.indexOf('#');
  return hash === -1
    ? { place: text, fragment: null }
    : { place: text.slice(0, hash), fragment: text.slice(hash + 1) || null };
}

function parseFragment(fragment: string, place: string): { ref?: string; subdir?: string } {
  if (place.startsWith('git+') && fragment.includes('=')) {
    const subdir = new URLSearchParams(fragment).get('subdirectory');
    return subdir === null ? {} : { subdir };
  }
  const [ref = '', subdir] = splitOnce(fragment, ':');
  return { ...(ref === '' ? {} : { ref }), ...(subdir ? { subdir } : {}) };
}

/** What `git check-ref-format` allows, and nothing that git could take for an option. */
function checkedRef(ref: string): string {
  if (ref === '' || /^[-/]|[\s\p{Cc}~^:?*[\\]|\.\.|@\{|\/\/|[/.]$|\.lock$/u.test(ref)) {
    throw refused(`'${ref}' can't be a branch, tag or commit.`);
  }
  return ref;
}

/** Below the root, '/' between the parts, '' for the root itself. */
function checkedSubdir(subdir: string): string {
  const parts = subdir.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..') || /\p{Cc}/u.test(subdir)) {
    throw refused(`The subfolder '${subdir}' leaves the source.`, {
      hint: 'Name a folder inside the source, relative to its root: src/server.',
    });
  }
  return parts.join('/');
}

function checkedUser(user: string): string {
  if (user.startsWith('-')) throw refused(`'${user}' can't be a user's name.`);
  return user;
}

const splitOnce = (text: string, separator: string): string[] => {
  const at = text.indexOf(separator);
  return at === -1 ? [text] : [text.slice(0, at), text.slice(at + separator.length)];
};

const withoutSlash = (path: string) => path.replace(/\/+$/, '');

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

// ---- refusals ----

function unknownForm(text: string) {
  const hint = /^[\w.-]+(\/[\w.-]+)*$/.test(text)
    ? `A folder is written ./${text}; a repository on GitHub owner/name, its subfolder owner/name#:sub/folder.`
    : undefined;
  return refused(`${quoted(text)} is not a source.`, { hint });
}

const refused = (message: string, details: { hint?: string | undefined } = {}) =>
  supervisorError('CONFIG_SOURCE', { message, ...details });

/** Without user info: it may hold a token. */
const quoted = (text: string) => `'${text.replace(/(:\/\/)[^/?#]*@/, '$1').slice(0, 200)}'`;
