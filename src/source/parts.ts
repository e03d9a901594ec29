/** Small words of the source grammar, checked, and the one way to refuse a source. */

import type { Credential, Source } from '../../launchers/plan.ts';
import { createCredential } from '../credential.ts';
import { supervisorError } from '../errors.ts';

/** What one form of the grammar makes of a text. */
export interface Found {
  readonly source: Source;
  readonly credential?: Credential | undefined;
}

/** What a path is relative to. */
export interface Places {
  /** Default the working folder. */
  readonly cwd?: string;
  /** What `~` is; default the user's home folder. */
  readonly userHome?: string;
}

/** What `git check-ref-format` allows, and nothing that git could take for an option. */
export function checkedRef(ref: string): string {
  if (ref === '' || /^[-/]|[\s\p{Cc}~^:?*[\\]|\.\.|@\{|\/\/|[/.]$|\.lock$/u.test(ref)) {
    throw refused(`'${ref}' can't be a branch, tag or commit.`);
  }
  return ref;
}

/** Below the root, '/' between the parts, '' for the root itself. */
export function checkedSubdir(subdir: string): string {
  const parts = subdir.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..') || /\p{Cc}/u.test(subdir)) {
    throw refused(`The subfolder '${subdir}' leaves the source.`, {
      hint: 'Name a folder inside the source, relative to its root: src/server.',
    });
  }
  return parts.join('/');
}

export function checkedUser(user: string): string {
  if (user.startsWith('-')) throw refused(`'${user}' can't be a user's name.`);
  return user;
}

export function splitFragment(text: string): { place: string; fragment: string | null } {
  const hash = text.indexOf('#');
  return hash === -1
    ? { place: text, fragment: null }
    : { place: text.slice(0, hash), fragment: text.slice(hash + 1) || null };
}

/** The parts of a URL as they were written: `new URL` would lower, encode and complete them. */
export interface Address {
  /** In lower case. */
  readonly protocol: string;
  /** With its port. */
  readonly host: string;
  readonly path: string;
  readonly query: string;
  /** Login that stood before the host. */
  readonly user: string;
  readonly password: string;
}

/** null for a text that is no URL; CONFIG_SOURCE for one without a host that a program could reach. */
export function readAddress(text: string): Address | null {
  const match = /^([a-z][a-z0-9+.-]*):\/\/([^/?#]*)([^?#]*)(?:\?([^#]*))?/i.exec(text);
  if (match === null) return null;
  const [, scheme = '', authority = '', path = '', query = ''] = match;
  const at = authority.lastIndexOf('@');
  const host = authority.slice(at + 1);
  const [user = '', password = ''] = splitOnce(at === -1 ? '' : authority.slice(0, at), ':');
  const protocol = scheme.toLowerCase();
  if (protocol !== 'file' && (host === '' || host.startsWith('-') || !URL.canParse(`http://${host}/`))) {
    throw refused(`${quoted(text)} has no valid host.`);
  }
  return { protocol, host, path, query, user: decoded(user), password: decoded(password) };
}

export const credentialOf = ({ user, password }: Address): Credential | undefined =>
  user === '' && password === '' ? undefined : createCredential(user, password);

export const splitOnce = (text: string, separator: string): string[] => {
  const at = text.indexOf(separator);
  return at === -1 ? [text] : [text.slice(0, at), text.slice(at + separator.length)];
};

export const withoutSlash = (path: string) => path.replace(/\/+$/, '');

export function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export const refused = (message: string, details: { hint?: string | undefined } = {}) =>
  supervisorError('CONFIG_SOURCE', { message, ...details });

/** Without user info: it may hold a token. */
export const quoted = (text: string) =>
  `'${text
    .replace(/(:\/\/)[^/?#]*@/, '$1')
    .replace(/^[^\s/?#:@]+:[^\s/?#]*@/, '')
    .slice(0, 200)}'`;
