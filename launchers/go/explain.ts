/** What the go command and Go programs print when they fail. */

import { type ExitLike, explainWith, type Pattern } from '../explain.ts';
import type { Cause } from '../plan.ts';

export const GO_PATTERNS: readonly Pattern[] = [
  {
    kind: 'engine-mismatch',
    pattern:
      /go\.(?:mod|work) requires go >= ([\w.]+)|requires go >= ([\w.]+) \(running go|module requires Go ([\w.]+)|download (go1[\w.]+)[\s\S]{0,200}?(?:toolchain not available|403 Forbidden|404 Not Found|not available)|invalid go version '([^']+)'|toolchain not available/,
    says: 'It wants Go $1, which could not be had',
    hint: 'Install Go $1 or newer.',
  },
  {
    kind: 'lock-out-of-date',
    pattern:
      /missing go\.sum entry|updates to go\.(?:mod|sum|work) needed|inconsistent vendoring|updating go\.mod: existing contents have changed|checksum mismatch|cannot find (?:package|module)[^\n]*import lookup disabled by -mod=vendor|is explicitly required in go\.mod, but not marked as explicit/,
    says: 'Its go.sum or vendor folder does not match its go.mod',
  },
  {
    kind: 'entry-missing',
    pattern:
      /cannot load module (\S+) listed in go\.work file|module (\S+) listed in go\.work (?:file )?requires|replacement directory (\S+) does not exist|reading (\.\.\S*go\.mod): open/,
    says: 'It builds on $1, which is not in the repository',
    hint: 'Give a source that holds $1 too: its authors build it beside their other projects.',
  },
  {
    kind: 'network',
    pattern:
      /could not read (?:Username|Password) for '?([^'\s:]+:\/\/[^'\s]+)|git@([\w.-]+): Permission denied|unable to access '([^']+)'|(?:Get|reading|fetch) "?(https?:\/\/[^"\s]+)"?: (?:dial|net\/http|proxyconnect|read|EOF|x509|tls|context deadline)|dial tcp: lookup ([\w.-]+)[^\n]*(?:no such host|server misbehaving|i\/o timeout|connection refused)|module lookup disabled by GOPROXY=off|unrecognized import path "([^"]+)"[^\n]*(?:dial tcp|parse|EOF|timeout|status code 5)/,
    says: 'A module could not be fetched from $1',
    hint: 'Check the network and GOPROXY; for a private module set GOPRIVATE and let git log in to its host.',
  },
  {
    kind: 'version-not-found',
    pattern:
      /(\S+@\S+): (?:reading [^\n]*: )?(?:invalid version|404|410|not found|verifying|unknown revision)|unknown revision (\S+)|(?:reading|server response:?) [^\n]*(?:404 Not Found|410 Gone|403 Forbidden)|no matching versions for query|unrecognized import path|repository [^\n]* not found/,
    says: 'The module proxy does not have $1',
    hint: 'Check GOPROXY; a private module needs GOPRIVATE and a login.',
  },
  {
    kind: 'missing-program',
    pattern:
      /C compiler "([^"]+)" not found|exec: "((?:gcc|cc|clang|g\+\+|clang\+\+|pkg-config))": executable file not found/,
    says: 'A part of it is written in C, and there is no $1 to build it',
    hint: 'Install a C compiler and pkg-config (`sudo apt install build-essential pkg-config`, `xcode-select --install`).',
  },
  {
    kind: 'missing-program',
    pattern: /[Bb]inary was compiled with 'CGO_ENABLED=0'|requires cgo to work/,
    says: 'A part of it is written in C, and was left out because there is no C compiler',
    hint: 'Install a C compiler (`sudo apt install build-essential`, `xcode-select --install`), then `update`.',
  },
  {
    kind: 'missing-library',
    pattern:
      /Package '?([\w.+-]+)'?,? (?:required by [^\n]*)?(?:was )?not found|No package '([^']+)' found|fatal error: ([\w./+-]+\.h): No such file|cannot find -l([\w+-]+)|library (?:not found for -l|')([\w+-]+)|error while loading shared libraries: ([\w.+-]+)/,
    says: 'The system library $1 is missing',
    hint: 'Install $1 with its development files.',
  },
  {
    kind: 'missing-module',
    pattern:
      /no required module provides package ([^\s;]+)|package (\S+) is not in (?:std|GOROOT)|cannot find module providing package ([^\s:;]+)|cannot find package "([^"]+)"/,
    says: 'It imports $1, which its go.mod does not have',
  },
  {
    kind: 'build-failed',
    pattern: /build constraints exclude all Go files in (\S+)/,
    says: 'No source in $1 is for this system, or they need C',
    hint: 'See in its documentation for which systems it is made.',
  },
  {
    kind: 'build-failed',
    pattern: /pattern (\S+): (?:no matching files found|cannot embed)/,
    says: 'It embeds $1, which another step of its build makes',
    hint: 'Build what it embeds in a copy of the repository, and give that folder as the source.',
  },
  {
    kind: 'build-failed',
    pattern:
      /^(?:vet: )?(?:\.{0,2}\/)?[\w./@-]+\.go:\d+(?::\d+)?: (.+)$|build constraints exclude all Go files|import cycle not allowed|undefined reference to|(?:^|\/)(?:compile|link|ld|cgo|asm): .+/m,
    says: 'It does not compile',
  },
  {
    kind: 'missing-service',
    pattern:
      /dial (?:tcp|unix) (?:(?:127\.0\.0\.1|\[::1\]|localhost):(\d+)|(\/\S+)): connect: (?:connection refused|no such file)/,
    says: 'It needs a service on this machine, at $1, and nothing listens there',
    hint: 'Start what belongs there (5432 is PostgreSQL, 3306 MySQL, 6379 Redis, 27017 MongoDB), or name another place with --env.',
  },
  {
    kind: 'missing-service',
    pattern:
      /no current-context is set|no configuration has been provided|unable to load (?:in-cluster|kube\w*) config|[^\n]*\bkubeconfig\b[^\n]*(?:no such file|not found|invalid)/,
    says: 'It needs a Kubernetes cluster, and no kubeconfig names one',
    hint: 'Make one with kubectl, or name its file with --env KUBECONFIG=path.',
  },
  {
    kind: 'missing-setting',
    pattern:
      /(?:required key|required environment variable|env(?:ironment)?: required) "?([A-Z][A-Z0-9_]+)"? (?:missing value|is not set)/,
    says: 'The setting $1 is missing',
    hint: 'Pass it with --env $1=value.',
  },
  {
    kind: 'missing-argument',
    pattern:
      /(?:required|missing|must be|not (?:set|specified|provided)|needs?)\b[^\n]{0,80}?\b(?:[Uu]se|[Ss]et|[Ss]pecify|[Pp]rovide|[Pp]ass|with|via|by)\b[^\n]{0,30}?\s["'`]?(--?[a-z][\w-]*)/,
    says: 'It needs the argument $1',
    hint: 'Pass it after --.',
  },
  {
    kind: 'missing-argument',
    pattern:
      /^(?:[Ee]rror: )?((?:accepts|requires) (?:at least |between )?\d+(?: and \d+)? arg\(s\), (?:only )?received \d+)/m,
    says: 'It $1',
  },
  {
    kind: 'missing-argument',
    pattern: /error: (?:missing (?:flags|arguments)|expected(?: one of)?):? ((?:--|<|")?[\w-]+[^\n]*)/m,
    says: 'It needs the argument $1',
  },
  {
    kind: 'unknown',
    pattern:
      /flag provided but not defined: (-\S+)|unknown (?:shorthand )?flag: (?:'\w' in )?(-\S+)|unknown flag (--\S+)|unexpected argument (\S+)|unknown command "([^"]+)"/,
    says: 'It does not know the argument $1',
    hint: 'Give the right arguments after --.',
  },
  {
    kind: 'unknown',
    pattern: /\bopen ([^\s:]+): no such file or directory/,
    says: 'It wants $1, which is not there',
    hint: 'See its documentation for that file, and for the argument that names another one.',
  },
  {
    kind: 'missing-argument',
    pattern: /^Usage of [^\n]*:$/m,
    says: 'It shows how to use it and ends: it needs arguments',
  },
];

/** cobra and urfave/cli name flags without their dashes. */
const FLAGS = /[Rr]equired flags?(?:\(s\))? (".+") not set/;

const COBRA = /^(Error: [\s\S]+?)\n+Usage:\n/m;

/** Asked last: something is required, and only people can tell whether by a flag or a variable. */
const REQUIRED =
  /^(?:\S+ \S+ )?(?:\S+: )*(.*\b(?:is|are) (?:required|mandatory|missing)\b.*|(?:missing|no) (?:required )?[\w -]+ (?:given|specified|provided|configured|set))$/im;

/** A panic ends with the stacks of all goroutines; what went wrong is said before them. */
const PANIC = /^panic: (.+)$/m;

export function explainGo(output: string, exit: ExitLike): Cause {
  const flags = FLAGS.exec(output);
  if (flags !== null) {
    const names = (flags[1] ?? '').match(/[\w.-]+/g)?.map((name) => `--${name}`) ?? [];
    const detail = `It needs ${names.length === 1 ? 'the argument' : 'the arguments'} ${names.join(', ')} (${quoted(flags[0])}).`;
    return { kind: 'missing-argument', detail, hint: 'Pass the arguments after --.' };
  }
  // Behind its error cobra shows all flags, whose descriptions speak of much that is required.
  const error = COBRA.exec(output)?.[1];
  const cause = explainWith(GO_PATTERNS, error ?? output, exit);
  if (cause.kind !== 'unknown') return cause;
  const required = REQUIRED.exec(output)?.[1];
  if (required !== undefined) {
    const hint = 'Pass it after --, or with --env NAME=value.';
    return { kind: 'missing-argument', detail: `It ends because something is missing (${quoted(required)}).`, hint };
  }
  const panic = PANIC.exec(output)?.[1];
  return panic === undefined ? cause : { ...cause, detail: `It panicked (${quoted(panic)}).` };
}

const MAX_WORDS = 300;

const quoted = (words: string): string => `“${words.trim().slice(0, MAX_WORDS)}”`;
