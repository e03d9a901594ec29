/** Packed folders: a file here, or one to download. */

import { homedir } from 'node:os';
import { resolve } from 'node:path';
import type { SourceOf } from '../../launchers/plan.ts';
import { credentialOf, decoded, type Found, type Places, quoted, readAddress, refused } from './parts.ts';

const PACKED = /\.(zip|mcpb|dxt|tar|tgz|tar\.gz)$/i;
/** No library that is worth its weight unpacks these. */
const OTHER = /\.(tar\.(xz|bz2|zst|lz|lzma|br)|txz|tbz2?|tzst|7z|rar|whl|jar|crate|gem|deb|rpm|dmg|exe|appimage)$/i;

/** Secrets in a query would be shown with the address. */
const SECRET = /token|secret|signature|password|credential|api[-_]?key|(^|[-_])(sig|key|auth)$/i;

export function readArchive(place: string, places: Places): (Found & { readonly source: SourceOf<'archive'> }) | null {
  const path = place.replace(/[?].*$/, '');
  const isUrl = /^[a-z][a-z0-9+.-]*:/i.test(place);
  if (OTHER.test(path) && (!isUrl || /^(https?|file):/i.test(place))) {
    throw refused(`${quoted(place)}: archives of this kind can't be unpacked; zip, tar and tar.gz can.`, {
      hint: 'Unpack it, and give the folder; a program is run as it is behind --: -- java -jar server.jar.',
    });
  }
  if (!PACKED.test(path)) return null;
  const archive = (location: string) => ({ source: { kind: 'archive', location, sha256: null, subdir: '' } }) as const;
  if (!isUrl) return archive(absolute(place, places));
  const address = /^(https?|file):\/\//i.test(place) ? readAddress(place) : null;
  if (address === null) return null;
  if (address.protocol === 'file') {
    const file = decoded(address.path);
    if (!file.startsWith('/') || file.includes('#')) throw refused(`${quoted(place)} names no file that can be read.`);
    return archive(file);
  }
  const secret = [...new URLSearchParams(address.query).keys()].find((name) => SECRET.test(name));
  if (secret !== undefined) {
    throw refused(
      `${quoted(path)}: the query of this address holds a secret ('${secret}'), which would be stored and shown.`,
      {
        hint: 'Download the file and give its path, or write the login before the host: https://user:token@host/….',
      },
    );
  }
  const query = address.query === '' ? '' : `?${address.query}`;
  // The page that shows a file is not the file.
  const file = address.path.replace(/^((?:\/[^/]+){2}(?:\/-)?)\/blob\//, '$1/raw/');
  return { ...archive(`${address.protocol}://${address.host}${file}${query}`), credential: credentialOf(address) };
}

/** A path as the user typed it. */
export const absolute = (place: string, { cwd = process.cwd(), userHome = homedir() }: Places): string =>
  /^~(\/|$)/.test(place) ? resolve(userHome, `.${place.slice(1)}`) : resolve(cwd, place);

/** `sha256=<64 hexadecimal digits>`, which stands where a repository has its ref. */
export function checkedSha256(pin: string): string {
  const [, digest] = /^sha256[=:-]([0-9a-f]{64})$/i.exec(pin) ?? [];
  if (digest === undefined) {
    throw refused(`An archive has no branches; '${pin}' is not its checksum either.`, {
      hint: 'A checksum is written #sha256= and 64 hexadecimal digits; a subfolder #:folder.',
    });
  }
  return digest.toLowerCase();
}
