/**
 * The one source grammar, `<source>[#[ref][:subdir]]`, and what people paste in its place. Pure: looks at the text alone,
 * never at the disk or the network. Everything here throws CONFIG_SOURCE and nothing else, with any login left out of the
 * message.
 */

import type { Credential, Source } from '../launchers/plan.ts';
import { REMOTE } from '../launchers/source-text.ts';
import { absolute, checkedSha256, readArchive } from './source/archive.ts';
import { readCommand } from './source/command.ts';
import { readRepository } from './source/git.ts';
import { checkedVersion, readPackage } from './source/package.ts';
import { isAnchor } from './source/pages.ts';
import {
  checkedRef,
  checkedSubdir,
  type Found,
  type Places,
  quoted,
  refused,
  splitFragment,
  splitOnce,
} from './source/parts.ts';
import { readLine, unwrap } from './source/pasted.ts';
import { readRemote } from './source/remote.ts';

export { commandText, showSource } from '../launchers/source-text.ts';
export { defaultName } from './source/name.ts';

export interface ParsedSource {
  readonly source: Source;
  /** Login that stood in the URL: for the clone alone, never stored. */
  readonly credential: Credential | null;
  /** The whole address of a remote server, where `source.url` leaves a secret of it out. */
  readonly address?: string;
  /** Program that a pasted command line names (`uvx --from x this`); what the owner says wins. */
  readonly command?: readonly string[];
  /** Arguments of a pasted command line (`npx -y x these`); they go before the owner's. */
  readonly args?: readonly string[];
}

export interface SourceOptions extends Places {
  /**
   * Wins over the source's own `#ref`; for a package it is the version, for an archive `sha256=…`; CONFIG_SOURCE for a
   * folder and a command.
   */
  readonly ref?: string | undefined;
  /** Wins over the source's own `#:subdir`. */
  readonly subdir?: string | undefined;
}

export function parseSource(text: string, options: SourceOptions = {}): ParsedSource {
  const given = unwrap(text);
  if (given === '') throw refused('The source is empty.');
  const command = readCommand(given, options);
  if (command !== null) return { source: pinSource(command, options), credential: null };
  if (given.startsWith(REMOTE)) return parseRemote(given.slice(REMOTE.length), options);
  const line = readLine(given);
  const place = line?.text ?? given;
  if (/[\s\p{Cc}]/u.test(place.replace(/ /g, '')) || place.startsWith('-')) {
    throw refused(`${quoted(place)} is not a source.`);
  }
  const { found, own } = readPlace(place, options);
  return {
    source: pinSource(pinSource(found.source, { ref: line?.ref, ...own }), options),
    credential: found.credential ?? null,
    ...(line?.command === undefined ? {} : { command: line.command }),
    ...(line === null || line.args.length === 0 ? {} : { args: line.args }),
  };
}

/** `url` of a plugin: a server that runs elsewhere. CONFIG_SOURCE when it is no http(s) address. */
export function parseRemote(url: string, options: Pick<SourceOptions, 'ref' | 'subdir'> = {}): ParsedSource {
  const { source, address } = readRemote(url);
  return { source: pinSource(source, options), credential: null, ...(address === null ? {} : { address }) };
}

/** The source with another ref (version, checksum) or subfolder, both checked; undefined leaves it as it is. */
export function pinSource(source: Source, { ref, subdir }: Pick<SourceOptions, 'ref' | 'subdir'>): Source {
  const pinned = ref === undefined ? source : withRef(source, ref);
  if (subdir === undefined) return pinned;
  const folder = checkedSubdir(subdir);
  if (pinned.kind !== 'package' && pinned.kind !== 'command' && pinned.kind !== 'remote') {
    return { ...pinned, subdir: folder };
  }
  if (folder === '') return pinned;
  throw refused(`A ${pinned.kind} has no subfolders, so '${folder}' can't be taken from it.`);
}

function withRef(source: Source, ref: string): Source {
  switch (source.kind) {
    case 'git':
      return { ...source, ref: checkedRef(ref) };
    case 'archive':
      return { ...source, sha256: checkedSha256(ref) };
    case 'package':
      return { ...source, version: checkedVersion(ref) };
    case 'folder':
      throw refused(`A folder has no branches, so '${ref}' can't be taken from ${quoted(source.path)}.`, {
        hint: `Leave the ref out, or clone it: file://${source.path}#${ref}`,
      });
    case 'command':
      throw refused(`A command has no branches, so '${ref}' can't be taken from it.`);
    case 'remote':
      throw refused(`A server that runs elsewhere has no branches, so '${ref}' can't be taken from it.`);
  }
}

/** What the text names, and what its own fragment says; the first form that knows it. */
function readPlace(text: string, options: SourceOptions): { found: Found; own: Pin } {
  const { place, fragment } = splitFragment(text);
  const found = readArchive(place, options) ?? readPackage(place) ?? folder(place, options) ?? readRepository(place);
  if (found === null) throw unknownForm(text);
  return { found, own: fragment === null ? {} : parseFragment(fragment, place) };
}

type Pin = { readonly ref?: string; readonly subdir?: string };

/** `.`, `./x`, `../x`, `~/x` and absolute paths. */
const folder = (place: string, options: SourceOptions): Found | null =>
  /^(\.{1,2}|~)?(\/|$)/.test(place) ? { source: { kind: 'folder', path: absolute(place, options), subdir: '' } } : null;

/** `[ref][:subdir]`; also what pip writes: `sha256=…&subdirectory=dir`, `egg=name&subdirectory=dir`. */
function parseFragment(fragment: string, place: string): Pin {
  if (/(^|&)(subdirectory|egg)=/.test(fragment)) {
    const asked = new URLSearchParams(fragment);
    const [subdir, sha256] = [asked.get('subdirectory'), asked.get('sha256')];
    return { ...(subdir === null ? {} : { subdir }), ...(sha256 === null ? {} : { ref: `sha256=${sha256}` }) };
  }
  // An address without `.git` was most likely copied from a browser.
  if (/^(https?:\/\/|[\w.-]+\.[a-z]{2,}\/)/i.test(place) && !/\.git\/*$/.test(place) && isAnchor(fragment)) return {};
  const [ref = '', subdir] = splitOnce(fragment, ':');
  return { ...(ref === '' ? {} : { ref }), ...(subdir ? { subdir } : {}) };
}

function unknownForm(text: string) {
  const name = /^[\w.-]+(@[\w.-]+)?$/.test(text);
  const path = /^[\w.-]+(\/[\w.-]+)*$/.test(text);
  const hint = name
    ? `A folder is written ./${text}, a repository on GitHub owner/${text}, a package npm:${text} or pypi:${text}.`
    : path
      ? `A folder is written ./${text}; a repository on GitHub owner/name, its subfolder owner/name#:sub/folder.`
      : /^\s*[{[]/.test(text)
        ? 'A configuration of servers goes into a file; of each the command is a source: `npx -y some-server`.'
        : undefined;
  return refused(`${quoted(text)} is not a source.`, { hint });
}
