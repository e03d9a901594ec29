/** Resources where all plugins are behind one address keep their URI, unless two plugins have the same one. */

/** One scheme for all of them: a plugin's name may have characters that no scheme has. */
const PREFIX = 'mcp-plugin:';

/** Names a plugin's resource (or template: what follows is verbatim) whatever others have. */
export const ownedUri = (plugin: string, uri: string): string => `${PREFIX}${plugin}/${uri}`;

/** The plugin and its own URI in one that `ownedUri` made. */
export function readOwnedUri(uri: string): { readonly plugin: string; readonly uri: string } | null {
  if (!uri.startsWith(PREFIX)) return null;
  const slash = uri.indexOf('/', PREFIX.length);
  return slash < 0 ? null : { plugin: uri.slice(PREFIX.length, slash), uri: uri.slice(slash + 1) };
}

export const schemeOf = (uri: string): string => uri.slice(0, uri.indexOf(':')).toLowerCase();

/** Characters; longer ones take a pattern of several parts too long to compare, and no server knows them. */
const LONGEST = 8192;

/** Whether a URI can come of that template (RFC 6570): what an expression becomes is guessed generously. */
export function templateMatches(template: string, uri: string): boolean {
  if (uri.length > LONGEST) return false;
  const pattern = template
    .split(/(\{[^{}]*\})/)
    .map((part) => {
      if (!/^\{.*\}$/s.test(part)) return part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
      const operator = part[1] ?? '';
      if (operator === '+' || operator === '#') return '.*';
      if (operator === '?' || operator === '&') return '(?:[?&].*)?';
      // `{/path*}` and `{.ext}` may be several, each with its own separator, and none.
      if (operator === '/' || operator === '.' || operator === ';') return '.*';
      return part.endsWith('*}') ? '.*' : '[^/?#]*';
    })
    .join('');
  return new RegExp(`^${pattern}$`, 's').test(uri);
}
