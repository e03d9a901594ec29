/** What a page of a code host says about a repository: the URL in an address bar is rarely the one that git takes. */

import { type Address, decoded, quoted, refused, withoutSlash } from './parts.ts';

/** A repository, and what of it the page shows. */
export interface Page {
  readonly origin: string;
  /** Of the repository, with its leading slash. */
  readonly path: string;
  readonly ref: string | null;
  readonly subdir: string;
}

interface View {
  readonly path: string;
  readonly ref?: string | undefined;
  /** Folder that is shown. */
  readonly folder?: string | undefined;
  /** File that is shown; its folder is meant. */
  readonly file?: string | undefined;
}

/** The repository of a URL; one that is no page of a host we know is taken as it stands. */
export function readPage(address: Address): Page {
  const known = knownHost(address);
  const origin = `${known.protocol}://${known.host}`;
  const view = viewOf(known) ?? { path: withoutSlash(known.path) };
  const folder = view.file === undefined ? (view.folder ?? '') : view.file.split('/').slice(0, -1).join('/');
  return {
    origin,
    path: view.path,
    ref: view.ref === undefined ? null : decoded(view.ref).replace(/^refs\/(heads|tags)\//, ''),
    subdir: decoded(folder),
  };
}

/** Anchors that pages have by themselves (`homepage` in a package.json ends in `#readme`); any other one is a ref. */
export const isAnchor = (fragment: string): boolean =>
  /^(readme|[\w-]+-ov-file|L\d+(C\d+)?(-L?\d+(C\d+)?)?|(issue|pullrequestre|discussion)\w*-?\d+|discussion_r\d+|file-[\w-]+)$/i.test(
    fragment,
  );

const FORGES = /^(github\.com|gitlab\.com|bitbucket\.org|codeberg\.org|gist\.github\.com)$/;

/** One spelling of the hosts that have several. */
function knownHost(address: Address): Address {
  const bare = address.host.toLowerCase().replace(/^www\./, '');
  const raw = /^\/([^/]+)\/([^/]+)\/(.+)$/.exec(address.path);
  if (bare === 'raw.githubusercontent.com' && raw !== null) {
    return { ...address, protocol: 'https', host: 'github.com', path: `/${raw[1]}/${raw[2]}/raw/${raw[3]}` };
  }
  // Both answer http with a redirect.
  return FORGES.test(bare) ? { ...address, protocol: 'https', host: bare } : address;
}

const viewOf = (address: Address): View | null =>
  gitlab(address) ??
  azure(address) ??
  gist(address) ??
  sourcehut(address) ??
  bitbucket(address) ??
  tree(address) ??
  github(address) ??
  gitea(address);

/** A ref is one part of the path, because nothing tells where a longer one ends. */
const REF = `(refs/(?:heads|tags)/[^/]+|[^/]+)`;
const TREE = new RegExp(`^((?:/spaces|/datasets)?/[^/]+/[^/]+)/(tree|blob|raw|edit|blame)/${REF}(?:/(.*))?$`);
const GITEA_TREE = /^(\/[^/]+\/[^/]+)\/(src|raw)\/(?:branch|tag|commit)\/([^/]+)(?:\/(.*))?$/;

const shown = (path: string, kind: string, ref: string, below = ''): View =>
  kind === 'tree' || kind === 'src' || kind === 'commits'
    ? { path, ref, folder: below }
    : { path, ref, file: withoutSlash(below) };

/** `/o/n/tree/<ref>/<dir>` and its kin, which GitHub, Gitea and many others have. */
function tree({ path }: Address): View | null {
  const [, repository, kind = '', ref = '', below] = TREE.exec(path) ?? GITEA_TREE.exec(path) ?? [];
  return repository === undefined ? null : shown(repository, kind, ref, below);
}

/** GitLab puts `/-/` between a project and its pages, however deep its groups are. */
function gitlab({ path }: Address): View | null {
  const [, repository, page = ''] = /^(\/.+?)\/-\/(.*)$/.exec(path) ?? [];
  if (repository === undefined) return null;
  const [, kind = '', ref, below] = new RegExp(`^([a-z_]+)/${REF}(?:/(.*))?$`).exec(page) ?? [];
  if (ref !== undefined && /^(tree|blob|raw|edit|blame|commits)$/.test(kind))
    return shown(repository, kind, ref, below);
  if (ref !== undefined && /^(commit|tags|releases)$/.test(kind)) return { path: repository, ref };
  if (kind === 'merge_requests') return { path: repository, ref: `refs/merge-requests/${ref}/head` };
  return { path: repository };
}

/** `/org/project/_git/name?path=/dir&version=GBmain`. */
function azure({ path, query }: Address): View | null {
  const [, repository] = /^(\/.*\/?_git\/[^/]+)/.exec(path) ?? [];
  if (repository === undefined) return null;
  const asked = new URLSearchParams(query);
  const folder = asked.get('path')?.replace(/^\//, '');
  return { path: repository, ref: asked.get('version')?.replace(/^G[BTC]/, ''), folder };
}

function gist({ host, path }: Address): View | null {
  if (host !== 'gist.github.com') return null;
  const [, id, , ref] =
    /^\/(?:[^/]+\/)?([0-9a-f]{5,40})(?:\.git)?(\/(?:raw\/)?([0-9a-f]{40}))?(?:\/.*)?$/i.exec(path) ?? [];
  return id === undefined ? null : { path: `/${id}.git`, ref };
}

function sourcehut({ path }: Address): View | null {
  const [, repository, , ref = '', below] =
    /^(\/~[^/]+\/[^/]+)\/(tree|log)\/([^/]+)(?:\/item)?(?:\/(.*))?$/.exec(path) ?? [];
  return repository === undefined ? null : { path: repository, ref, folder: below };
}

/** bitbucket.org, and the `/projects/P/repos/n/browse` of a server of one's own. */
function bitbucket({ host, path, query }: Address): View | null {
  const [, project = '', name, below] =
    /^\/projects\/([^/]+)\/repos\/([^/]+)(?:\/browse(?:\/(.*))?)?\/?$/.exec(path) ?? [];
  if (name !== undefined) {
    const ref = new URLSearchParams(query).get('at') ?? undefined;
    return { path: `/scm/${project.toLowerCase()}/${name}.git`, ref, folder: below };
  }
  if (host !== 'bitbucket.org') return null;
  const [, repository, kind = '', ref, folder] =
    /^(\/[^/]+\/[^/]+)\/([a-z-]+)(?:\/([^/]+)(?:\/(.*))?)?\/?$/.exec(path) ?? [];
  if (repository === undefined) return null;
  return /^(src|branch|commits)$/.test(kind) ? { path: repository, ref, folder } : { path: repository };
}

/** Pages beside the code: of these the repository is meant. */
const GITHUB_PAGES =
  /^(issues|pulls|actions|projects|wiki|security|pulse|graphs|network|discussions|settings|stargazers|watchers|forks|branches|tags|releases|activity|deployments|labels|milestones|compare|packages|contributors|commits|archive)$/;
/** First parts of addresses of which none is a person. */
const NOBODY =
  /^(orgs|users|topics|search|marketplace|sponsors|settings|features|login|collections|trending|explore|apps)$/;

function github(address: Address): View | null {
  if (address.host !== 'github.com') return null;
  const [, owner = '', name, page, first, second] = withoutSlash(address.path).split('/');
  const path = `/${owner}/${name}`;
  const isName = name !== undefined && name !== '' && !NOBODY.test(owner);
  if (isName && page === undefined) return { path };
  if (isName && page === 'pull' && /^\d+$/.test(first ?? '')) return { path, ref: `refs/pull/${first}/head` };
  if (isName && (page === 'commit' || page === 'commits') && first !== undefined) return { path, ref: first };
  if (isName && page === 'releases' && first === 'tag' && second !== undefined) return { path, ref: second };
  if (isName && (page === 'zipball' || page === 'tarball') && first !== undefined) return { path, ref: first };
  if (isName && GITHUB_PAGES.test(page ?? '')) return { path };
  throw refused(`${quoted(`https://github.com${address.path}`)} is not a repository.`, {
    hint: 'Give https://github.com/owner/name.',
  });
}

/** Codeberg, and where the form leaves no doubt any host of its kind. */
function gitea({ host, path }: Address): View | null {
  const [, repository, kind = '', below = ''] =
    /^(\/[^/]+\/[^/]+)\/(commit|pulls|issues|releases|wiki|branches|tags|actions)(?:\/(.*))?$/.exec(path) ?? [];
  if (repository === undefined) return null;
  if (kind === 'commit' && /^[0-9a-f]{7,64}$/.test(below)) return { path: repository, ref: below };
  if (host !== 'codeberg.org') return null;
  if (kind === 'pulls' && /^\d+/.test(below)) return { path: repository, ref: `refs/pull/${below.split('/')[0]}/head` };
  const tag = kind === 'releases' ? /^tag\/(.+)$/.exec(below)?.[1] : undefined;
  return { path: repository, ref: tag };
}
