/** Tells from a program's last words why it failed: tables of patterns, the first that matches. */

import type { Cause, CauseKind } from './plan.ts';

export interface Pattern {
  readonly kind: CauseKind;
  /** Without flag g. Group 1, where there is one, is the name that matters (a module, a variable, a program). */
  readonly pattern: RegExp;
  /** What it means, a sentence without its full stop; `$1` is the name. */
  readonly says: string;
  /** What to do next; `$1` is the name. The kind's own when left out. */
  readonly hint?: string;
}

export interface ExitLike {
  readonly code: number | null;
  readonly signal: string | null;
}

const HINTS: Readonly<Record<CauseKind, string>> = {
  'lock-out-of-date': 'Report it to the plugin’s authors: their lock file is stale.',
  'version-not-found': 'Check that the registry in use has the package.',
  'install-script-failed': 'Correct what the script’s last words name; it may need a program or a download.',
  'held-back': 'Allow it with --allow-scripts, if you trust it.',
  network: 'Check the network and the registry settings, then try again.',
  'needs-login':
    'Give the package manager its login where it keeps those (~/.npmrc, pip.conf, ~/.netrc, ~/.m2/settings.xml …).',
  'engine-mismatch': 'Install the version of the runtime that the plugin wants.',
  'missing-program': 'Install the named program.',
  'missing-browser': 'Install a browser (Chromium or Chrome), or what the last lines name.',
  'missing-library': 'Install the named library with the system’s package manager.',
  'missing-service': 'Start the service that it needs, or name another place with --env.',
  'missing-module': 'Report it to the plugin’s authors: the package is used but not declared.',
  'incompatible-dependency': 'The plugin needs an older or newer version of a dependency than was installed.',
  'build-failed': 'Correct the first error of the build.',
  'entry-missing': 'Name the right program with --command.',
  'missing-setting': 'Pass it with --env NAME=value.',
  'missing-argument': 'Pass the arguments after --.',
  'port-taken': 'Stop the process that holds the port, or let the supervisor choose one.',
  'runtime-too-old': 'Install a newer version of the runtime.',
  'not-a-server': 'Name the server with --command or --subdir.',
  'out-of-disk': 'Free some space.',
  unknown: 'Correct what its last lines name, or start it another way with --command.',
};

/** Asked before a runtime's own: what they say is never anything else. */
const FIRST: readonly Pattern[] = [
  {
    kind: 'out-of-disk',
    pattern: /ENOSPC|No space left on device|EDQUOT|Disk quota exceeded/i,
    says: 'The disk is full',
  },
  {
    kind: 'port-taken',
    pattern:
      /EADDRINUSE|address already in use|\[Errno (?:98|48)\]|port \d+ is (?:already )?in use|Only one usage of each socket address/i,
    says: 'The port that it wants is taken',
  },
  // In the words of package managers, of OpenSSL, rustls, Go and Java; whatever else they then say of the package is wrong.
  {
    kind: 'needs-login',
    pattern:
      /npm (?:error|ERR!) code (?:E40[13]|ENEEDAUTH)|ERR_PNPM_FETCH_40[13]|YN0041|lack of valid authentication credentials|40[13] Error, Credentials|status client error \(40[13] |reading https?:\/\/\S+: 40[13] (?!\w+\s+server response: This module version is not available)|no token found for `|HTTP response from `\S+`[^\n]*, got 40[13]|(?<!proxy )authentication failed for https?:/,
    says: 'A registry wants a login, or does not give this package to it',
  },
  {
    kind: 'network',
    pattern:
      /407 Proxy Auth|Proxy Authentication Required|(?:code E|FETCH_|, got |, response )407\b|proxy auth(?:entication failed|orization required)/i,
    says: 'The proxy wants another login',
    hint: 'Put it into HTTP_PROXY and HTTPS_PROXY (http://user:password@host:port), or the settings of the package manager.',
  },
  {
    kind: 'network',
    pattern:
      /UNABLE_TO_(?:VERIFY_LEAF_SIGNATURE|GET_ISSUER_CERT\w*)|(?:DEPTH_ZERO_)?SELF_SIGNED_CERT\w*|unable to (?:verify the first|get local issuer) certificate|invalid peer certificate|certificate signed by unknown authority|certificate[_ ]verify[_ ]failed|confirming the ssl certificate|PKIX path building failed/i,
    says: 'The certificate of a host is not trusted here',
    hint: 'Name your company’s certificate in NODE_EXTRA_CA_CERTS or SSL_CERT_FILE (a PEM file); for Java, in its trust store.',
  },
];

/** A name in capitals with an underscore, or of words that only settings have. */
const NAME = `([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+|[A-Z]*(?:TOKEN|KEY|SECRET|PASSWORD)[A-Z]*)`;
const LACKS = `(?:not (?:been )?(?:set|provided|defined|found|configured|specified|present)|required|missing|undefined|unset|empty|must be|has to be|needs? to be|should be set)`;

/** Asked after a runtime's own. */
const LAST: readonly Pattern[] = [
  { kind: 'missing-argument', pattern: /the following arguments are required: (.+)/, says: 'It needs the argument $1' },
  {
    kind: 'missing-argument',
    pattern:
      /(?:Missing|Requires?d?|No) (?:required )?(?:option|argument|parameter|positional argument)s?:?\s*['"‘]?(-{0,2}[\w-]+)/i,
    says: 'It needs the argument $1',
  },
  {
    kind: 'missing-argument',
    pattern:
      /(--[\w-]+)['"]?\s+(?:option |argument |flag )?(?:is|are) (?:required|missing|mandatory)|required (?:flag|option)\(?s?\)? ['"]?(--[\w-]+)/i,
    says: 'It needs the argument $1',
  },
  {
    kind: 'missing-setting',
    pattern: new RegExp(String.raw`\b[Nn]either ${NAME}`),
    says: 'The setting $1 is missing',
    hint: 'Pass it with --env $1=value.',
  },
  {
    kind: 'missing-setting',
    pattern: new RegExp(String.raw`\b${NAME}\b[^\n]{0,80}?\b${LACKS}\b`),
    says: 'The setting $1 is missing',
    hint: 'Pass it with --env $1=value.',
  },
  {
    kind: 'missing-setting',
    pattern: new RegExp(
      String.raw`\b(?:[Mm]issing|[Rr]equired?s?|[Pp]lease (?:set|provide)|[Mm]ust (?:set|provide|specify)|[Nn]o|[Ss]et|[Pp]rovide|[Ii]nvalid|[Nn]eeds?)\b[^\n]{0,60}?\b${NAME}\b`,
    ),
    says: 'The setting $1 is missing',
    hint: 'Pass it with --env $1=value.',
  },
  {
    kind: 'missing-setting',
    pattern: new RegExp(
      String.raw`(?:environment variables?|env(?:ironment)? vars?|\.env\b|configuration|settings?)[^\n]{0,80}?${LACKS}|(?:missing|required|set|provide)[^\n]{0,40}environment variable`,
      'i',
    ),
    says: 'A setting is missing',
  },
  {
    kind: 'missing-setting',
    pattern: new RegExp(
      String.raw`(?:api[ _-]?keys?|(?:access|auth|bot|api) ?tokens?|token|credentials?|password|client secret)\b[^\n]{0,50}?(?:is|are|was|were|must)?\s*${LACKS}|(?:missing|no|provide|requires?)\s+(?:an? |the |your |valid )*(?:[\w]+ )?(?:api[ _-]?key|token|credentials?)`,
      'i',
    ),
    says: 'A key or token is missing',
  },
  {
    kind: 'missing-argument',
    pattern:
      /\b(?:provide|specify|pass|give|supply|expect(?:s|ed)?|needs?|requires?|missing)\b[^\n]{0,60}\b(?:as (?:an? |the )?(?:first |positional )?argument|(?:command[- ]line|positional) argument)/i,
    says: 'It needs an argument',
  },
  {
    kind: 'missing-argument',
    // Usage, and then what is wrong with how it was used: the second says more.
    pattern: /^\s*usage:[\s\S]*?^(?:[\w.-]+: )?error: (.+)/dim,
    says: 'It does not start without other arguments',
  },
  {
    kind: 'missing-argument',
    pattern: /^\s*usage:[ \t]*(?:\r?\n\s*)?(\S.*)/dim,
    says: 'It shows how to use it and ends: it needs arguments',
  },
  {
    kind: 'missing-service',
    // The last one that was refused is what ended it; those before it were done without.
    pattern:
      /ECONNREFUSED (?:127\.0\.0\.1|::1|localhost):(\d+)(?![\s\S]*ECONNREFUSED [\d:l])|connection to server at [^\n]*port (\d+) failed: Connection refused|(?:localhost|127\.0\.0\.1):(\d+)[^\n]*(?:[Cc]onnection refused|\[Errno (?:111|61)\])|host='(?:localhost|127\.0\.0\.1)', port=(\d+)\)[^\n]*(?:refused|Max retries)/,
    says: 'It needs a service on this machine, at port $1, and nothing listens there',
    hint: 'Start what belongs at port $1 (5432 is PostgreSQL, 3306 MySQL, 6379 Redis, 27017 MongoDB), or name another place with --env.',
  },
  {
    kind: 'network',
    pattern:
      /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ERR_SOCKET_TIMEOUT|getaddrinfo|[Cc]ould not resolve host|name resolution|dns error|error sending request|Failed to fetch|NewConnectionError|Max retries exceeded|trouble with your network|[Cc]onnection (?:refused|reset|timed out)|ConnectError|UND_ERR_CONNECT_TIMEOUT|certificate (?:verify failed|has expired)|UNABLE_TO_GET_ISSUER_CERT|CERT_HAS_EXPIRED|SELF_SIGNED_CERT/,
    says: 'A host could not be reached',
  },
  {
    kind: 'missing-program',
    pattern: /(?:sh|bash|zsh)(?:: line \d+|: \d+)?: ([^\s:]+): (?:command )?not found/,
    says: 'There is no program $1',
    hint: 'Install $1.',
  },
  {
    kind: 'missing-program',
    pattern:
      /\b([\w.+-]+) (?:binary|executable|program|CLI)(?: (?:'[^'\n]*'|`[^`\n]*`|"[^"\n]*"))? (?:is |was )?(?:not (?:found|installed)|missing)|(?:binary|executable|program|command) [`'"]([\w.+-]+)[`'"] (?:is |was )?not (?:found|installed)|[`'"]?\b([\w.+-]+)[`'"]? (?:is |was )?not (?:found|installed)(?:,| or not)? (?:in|on) (?:your |the )?(?:system )?\$?PATH\b/i,
    says: 'There is no program $1',
    hint: 'Install $1.',
  },
  {
    kind: 'missing-program',
    pattern:
      /spawn(?:Sync)? (\S+) ENOENT|exec: "([^"]+)": executable file not found|env: [‘'“"]?([^\s’'”"]+)[’'”"]?: No such file/,
    says: 'There is no program $1',
    hint: 'Install $1.',
  },
  {
    kind: 'unknown',
    pattern:
      /FileNotFoundError: \[Errno 2\] No such file or directory: ['"]([^'"]+)|ENOENT: no such file or directory, (?:open|scandir|mkdir|stat|access|lstat) '([^']+)'/,
    says: 'It wants $1, which the repository does not hold',
    hint: 'See its documentation for where that comes from (git keeps no empty folders): make it in a copy of the repository, and give that folder as the source.',
  },
  {
    kind: 'unknown',
    pattern: /^(?:NameError|IndentationError|UnboundLocalError|ReferenceError): .+/m,
    says: 'Its own code is broken',
    hint: 'Report it to the plugin’s authors, or try another commit with --ref.',
  },
];

/** Warnings name settings, engines and packages that are not why it failed. */
const WARNING =
  /^\s*(⚠|npm (warn|notice)\b|\[?WARN(ING)?\]?\b|warning\b|\(node:\d+\) (\w*Warning|\[DEP)|.*\bDeprecationWarning\b)/i;

const MAX_LINE = 300;

/** The cause that the first matching pattern of `FIRST`, `own`, `LAST` gives; always one, `unknown` at worst. */
export function explainWith(own: readonly Pattern[], output: string, exit: ExitLike): Cause {
  const text = lastWords(output);
  for (const each of [...FIRST, ...own, ...LAST]) {
    const match = each.pattern.exec(text);
    if (match === null) continue;
    const name = match.slice(1).find((group) => group !== undefined) ?? '';
    const fill = (template: string) => template.replaceAll('$1', () => short(name)).trim();
    return {
      kind: each.kind,
      detail: `${fill(each.says)} (“${lineAt(text, match.indices?.[1]?.[0] ?? match.index)}”).`,
      hint: fill(each.hint ?? HINTS[each.kind]),
    };
  }
  return unexplained(text, exit);
}

/** Where a stack was, which runtime it was, where more is written. */
const SAYS_NOTHING = /A complete log of this run can be found in|^(Node\.js|Bun) v\d|^at \S|^[\^~\s]+$|^[})\]];?$/;
const SAYS_ERROR = /^(\w*(Error|Exception)|error|fatal|panic)\b.{0,40}:/i;

function unexplained(text: string, { code, signal }: ExitLike): Cause {
  const lines = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !SAYS_NOTHING.test(line));
  const last = lines.findLast((line) => SAYS_ERROR.test(line)) ?? lines.at(-1);
  const ended = signal !== null ? `was ended by ${signal}` : code === null ? 'ended' : `ended with exit code ${code}`;
  const detail =
    last === undefined ? `It ${ended} and said nothing.` : `It ${ended}; its last words: “${short(last)}”.`;
  if (code === 127) return { kind: 'missing-program', detail, hint: HINTS['missing-program'] };
  const hint =
    last === undefined ? 'It may need a setting, an argument or a service: see its documentation.' : HINTS.unknown;
  return { kind: 'unknown', detail, hint };
}

/** A program may print its whole minified source as it dies; patterns are slow on such text, and find nothing in it. */
const LONGEST_LINE = 1000;
const LONGEST_TEXT = 16 * 1024;

/** The end of an output, without warnings. */
const lastWords = (output: string): string =>
  output
    .split(/\r?\n/)
    // Of empty lines one is enough: a pattern that skips them tries it anew at each.
    .filter((line, at, lines) => line.trim() !== '' || lines[at - 1]?.trim() !== '')
    .filter((line) => !WARNING.test(line.slice(0, LONGEST_LINE)))
    .map((line) => line.slice(0, LONGEST_LINE))
    .join('\n')
    .slice(-LONGEST_TEXT);

const lineAt = (text: string, index: number): string => {
  // A pattern may begin with the line break before what it is about.
  const from = text.slice(index).search(/\S/) + index;
  const start = text.lastIndexOf('\n', from) + 1;
  const end = text.indexOf('\n', from);
  return short(text.slice(start, end < 0 ? undefined : end).trim());
};

const short = (line: string): string => (line.length > MAX_LINE ? `${line.slice(0, MAX_LINE)}…` : line);
