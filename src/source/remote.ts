/** The address of a server that runs elsewhere; `${env:X}`, `${file:x}` and `${cmd:x}` may stand in it. */

import type { SourceOf } from '../../launchers/plan.ts';
import { SECRET } from '../../launchers/source-text.ts';
import { quoted, refused } from './parts.ts';

const REFERENCE = /\$\{(env|file|cmd):[^}]*\}/g;

export interface RemoteAddress {
  readonly source: SourceOf<'remote'>;
  /** As it was written, where a secret in it keeps it from being shown; null where `source.url` is all of it. */
  readonly address: string | null;
}

/** CONFIG_SOURCE for what is no http(s) address; its message holds no secret of it. */
export function readRemote(text: string): RemoteAddress {
  const written = text.trim().replace(/#.*$/s, '');
  const shown = withoutSecrets(written);
  // A reference may stand for any part of it, and has no value before the start.
  const plain = written.replace(REFERENCE, 'x');
  if (/[\s\p{Cc}]/u.test(plain)) throw refused(`${quoted(shown)} is no address: it has a blank in it.`, { hint: HINT });
  const isReference = /^\$\{/.test(written);
  if (!isReference && (!/^https?:\/\//i.test(written) || !URL.canParse(plain))) {
    throw refused(`${quoted(shown)} is no address of a server.`, { hint: HINT });
  }
  const url = isReference ? written : normal(shown);
  return { source: { kind: 'remote', url, subdir: '' }, address: shown === written ? null : written };
}

const HINT = 'Give the address of its MCP endpoint, such as https://host/mcp.';

/** Without a login, and without the values of query parameters that are secrets by their name. */
function withoutSecrets(url: string): string {
  const [, before = url, query] = /^([^?]*)\?(.*)$/s.exec(url) ?? [];
  const place = before.replace(/(:\/\/)[^/?#]*@/, '$1');
  if (query === undefined) return place;
  const parameters = query.split('&').map((parameter) => {
    const [name = '', value = ''] = parameter.split(/=(.*)/s);
    // A reference is no secret, what it stands for is.
    return value !== '' && SECRET.test(name) && value.replace(REFERENCE, '') !== '' ? `${name}=[redacted]` : parameter;
  });
  return `${place}?${parameters.join('&')}`;
}

/** Host and scheme in lower case, as every other spelling of the same place. */
const normal = (url: string): string =>
  url.replace(/^([a-z]+:\/\/)([^/?#]*)/i, (whole, scheme: string, host: string) =>
    host.includes('${') ? whole : scheme.toLowerCase() + host.toLowerCase(),
  );
