/** Repositories: every way to write a git URL, and the names and pages of the big hosts. */

import { readPage } from './pages.ts';
import {
  checkedUser,
  credentialOf,
  type Found,
  quoted,
  readAddress,
  refused,
  splitOnce,
  withoutSlash,
} from './parts.ts';

/** A place with what its own spelling says about ref and folder. */
interface FoundRepository extends Found {
  readonly source: Extract<Found['source'], { kind: 'git' }>;
}

const repository = (url: string, ref: string | null = null, subdir = ''): FoundRepository => ({
  source: { kind: 'git', url, ref, subdir },
});

export const readRepository = (place: string): FoundRepository | null =>
  gitPlus(place) ?? gitUrl(place) ?? shorthand(place) ?? bareHost(place) ?? scpForm(place) ?? forgeName(place);

/** What pip and npm take: `git+https://host/o/n.git@ref`; pip's `#subdirectory=dir` is read with the fragment. */
function gitPlus(place: string): FoundRepository | null {
  if (!place.startsWith('git+')) return null;
  const inner = place.slice('git+'.length);
  const [, address = inner, ref] = /^([a-z]+:\/\/[^/]*\/.*?)@([^@]+)$/.exec(inner) ?? [];
  const found = gitUrl(address);
  return found && { ...found, source: { ...found.source, ref: ref ?? found.source.ref } };
}

const SCHEMES = ['https', 'http', 'ssh', 'file'];

function gitUrl(place: string): FoundRepository | null {
  const address = readAddress(place);
  if (address === null) return null;
  const { protocol, host, path, user } = address;
  if (!SCHEMES.includes(protocol)) throw refused(`Sources over ${protocol}:// are not supported.`);
  if (protocol === 'file') {
    if (host !== '' && host !== 'localhost') throw refused(`file:// has no host; got '${host}'.`);
    return repository(`file://${withoutSlash(path) || '/'}`);
  }
  // ssh's user is no secret, and its password is nothing that ssh would take.
  if (protocol === 'ssh') {
    return repository(`ssh://${user === '' ? '' : `${checkedUser(user)}@`}${host}${withoutSlash(path)}`);
  }
  const { origin, path: repo, ref, subdir } = readPage(address);
  refuseServer(place, host, path);
  return { ...repository(origin + repo, ref, subdir), credential: credentialOf(address) };
}

/** Repositories have an owner and a name; a host alone, or one single `/mcp` or `/sse`, is the endpoint of a running server. */
function refuseServer(place: string, host: string, path: string): void {
  const isEndpoint = /^\/*((mcp|sse)\/*)?$/i.test(path) || (/^mcp\./i.test(host) && !/\.git\/*$/.test(path));
  if (!isEndpoint) return;
  throw refused(`${quoted(place)} is no repository, but the address of a running server.`, {
    hint: 'Give it as `url` (--url, or mcp+https://…), or the repository that it is made from.',
  });
}

const SHORTHANDS: Readonly<Record<string, string>> = {
  github: 'github.com',
  gitlab: 'gitlab.com',
  bitbucket: 'bitbucket.org',
  codeberg: 'codeberg.org',
};

/** `gitlab:group/sub/name`, `gist:<id>`, as npm and others write them. */
function shorthand(place: string): FoundRepository | null {
  const gist = /^gist:(?:[\w-]+\/)?([0-9a-f]{5,40})$/i.exec(place)?.[1];
  if (gist !== undefined) return repository(`https://gist.github.com/${gist}.git`);
  const [, forge = '', path = ''] = /^([a-z]+):(?!\/)(.+)$/.exec(place) ?? [];
  const host = Object.hasOwn(SHORTHANDS, forge) ? SHORTHANDS[forge] : undefined;
  if (host === undefined) return null;
  const parts = withoutSlash(path)
    .replace(/\.git$/, '')
    .split('/');
  const isName = parts.length === 2 || (forge === 'gitlab' && parts.length > 2);
  if (!isName || !parts.every((part) => /^[\w.-]+$/.test(part) && !/^\.+$/.test(part) && !part.startsWith('-'))) {
    throw refused(`${quoted(place)} is not a repository.`, { hint: `Write ${forge}:owner/name.` });
  }
  return repository(`https://${host}/${parts.join('/')}.git`);
}

/** `github.com/o/n`: an address without its scheme; an owner's name has no dot. */
const bareHost = (place: string): FoundRepository | null =>
  /^(?:[a-z0-9-]+\.)+[a-z]{2,}(?::\d+)?\/[^/]/i.test(place) && !place.startsWith('-')
    ? gitUrl(`https://${place}`)
    : null;

/** `git@host:o/n.git`. Kept as it is: unlike in `ssh://`, a relative path starts at the user's home on the host. */
function scpForm(place: string): FoundRepository | null {
  const match = /^(?:([^@/:]+)@)?([^@/:]+):(?!\/\/)(.+)$/.exec(place);
  if (match === null) return null;
  const [, user, host = '', path = ''] = match;
  // Without a user only a dot tells a host from a scheme such as `github:`; `ext::` and the like run programs.
  if (path.startsWith(':') || host.startsWith('-') || (user === undefined && !host.includes('.'))) return null;
  return repository(`${user === undefined ? '' : `${checkedUser(user)}@`}${host}:${withoutSlash(path)}`);
}

/** `owner/name` is on GitHub; npm's `owner/name@ref` is not npm's own, and means the same. */
function forgeName(place: string): FoundRepository | null {
  const [bare = '', ref] = splitOnce(withoutSlash(place), '@');
  const match = /^([A-Za-z0-9][A-Za-z0-9-]*)\/([A-Za-z0-9._-]+?)(?:\.git)?$/.exec(bare);
  if (match === null || /^\.+$/.test(match[2] ?? '')) return null;
  return repository(`https://github.com/${match[1]}/${match[2]}.git`, ref || null);
}
