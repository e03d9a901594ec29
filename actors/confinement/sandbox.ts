/**
 * A sandbox by bubblewrap: the whole system read-only, /tmp private, homes invisible, processes of its own. Writable are
 * the plugin's data folder, which is its HOME, and /tmp; its own tree is read-only too, so that it can't rewrite itself (a
 * server that wants to write beside itself has to be given the folder).
 *
 * Its processes stay in our group and carry our cookie: the system shows them to us under pids of our own. bubblewrap
 * itself is the leader; it ignores SIGTERM, which is for the program in it, and dies with us.
 */

import { dirname, join, sep } from 'node:path';
import type { Sandbox } from '../../launchers/plan.ts';

export interface SandboxParts {
  /** Absolute path of bubblewrap. */
  readonly program: string;
  readonly network: Sandbox['network'];
  /** Folders that are shown empty; like all of these absolute, and there. */
  readonly hidden: readonly string[];
  /** Folders that are its own: empty, writable, and gone with it. */
  readonly temporary: readonly string[];
  /** What is shown although something above it is hidden. */
  readonly shown: readonly string[];
  readonly writable: readonly string[];
  readonly cwd: string;
  /** True when the program in it becomes another user. */
  readonly changesUser: boolean;
}

/** What it takes to make one at all; without folders, to be tried beforehand. */
export function namespaceWords({ program, network }: Pick<SandboxParts, 'program' | 'network'>): readonly string[] {
  return [
    program,
    ...['--unshare-pid', '--unshare-ipc', '--unshare-uts', '--unshare-cgroup-try'],
    ...(network === 'off' ? ['--unshare-net'] : []),
    '--die-with-parent',
    ...['--ro-bind', '/', '/'],
    ...['--dev', '/dev'],
    ...['--proc', '/proc'],
    // Root would keep its powers in it, and could make everything writable again.
    ...['--cap-drop', 'ALL'],
  ];
}

/** Homes, and the sockets of the system's services. */
export const HIDDEN: readonly string[] = ['/home', '/root', '/run'];
export const TEMPORARY: readonly string[] = ['/tmp', '/var/tmp'];
/** Files below /run that programs need: name servers, and all of NixOS. */
const KEPT: readonly string[] = ['/run/systemd/resolve', '/run/current-system'];

/** Words that go before a command. Whatever is above another comes first: it would cover it. */
export function sandboxWords(parts: SandboxParts): readonly string[] {
  const { hidden, temporary, shown, writable, cwd, changesUser } = parts;
  const empty = withoutInner([...hidden, ...temporary]);
  const binds = [
    ...shown.map((path) => ({ path, option: '--ro-bind' })),
    ...KEPT.map((path) => ({ path, option: '--ro-bind-try' })),
    ...writable.map((path) => ({ path, option: '--bind' })),
  ].sort((one, other) => one.path.length - other.path.length);
  const paths = binds.map(({ path }) => path);
  // bubblewrap would make them for root alone.
  const above = [...new Set(paths.flatMap((path) => foldersAbove(path, empty)))].filter(
    (folder) => !paths.some((path) => isBelow(folder, path)),
  );
  return [
    ...namespaceWords(parts),
    ...(changesUser ? ['--cap-add', 'CAP_SETUID', '--cap-add', 'CAP_SETGID'] : []),
    // Anyone's, with the sticky bit.
    ...empty.flatMap((path) => [...(temporary.includes(path) ? ['--perms', '1777'] : []), '--tmpfs', path]),
    ...above.flatMap((folder) => ['--perms', '0755', '--dir', folder]),
    ...binds.flatMap(({ path, option }) => [option, path, path]),
    ...empty.flatMap((path) => (temporary.includes(path) ? [] : ['--remount-ro', path])),
    ...['--chdir', cwd, '--'],
  ];
}

/** Folders between an empty one and the path, outermost first. */
function foldersAbove(path: string, empty: readonly string[]): readonly string[] {
  const folder = dirname(path);
  const isInside = empty.some((each) => folder !== each && isBelow(folder, each));
  return isInside ? [...foldersAbove(folder, empty), folder] : [];
}

/** Each once, and none that is in another. */
const withoutInner = (paths: readonly string[]): readonly string[] => {
  const all = [...new Set(paths)];
  return all.filter((path) => !all.some((other) => other !== path && isBelow(path, other)));
};

/** True when the path is the folder or in it. */
export const isBelow = (path: string, folder: string): boolean =>
  path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep);

/** `~/x` in the caller's home. */
export const expandHome = (path: string, home: string): string =>
  path.startsWith('~/') ? join(home, path.slice(2)) : path;
