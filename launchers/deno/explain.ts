/** What Deno prints when it fails. */

import { type ExitLike, explainWith, type Pattern } from '../explain.ts';
import type { Cause } from '../plan.ts';

export const DENO_PATTERNS: readonly Pattern[] = [
  {
    kind: 'lock-out-of-date',
    pattern:
      /The lockfile is out of date|The lockfile is corrupt|[Ff]ailed reading lockfile|[Ii]ntegrity check failed|Unsupported lockfile version/,
    says: 'The lock file does not match the project',
  },
  {
    kind: 'network',
    pattern: /JSR package manifest for '[^']+' failed to load\. Import 'https?:\/\/([^/']+)/,
    says: 'The registry $1, where some of its modules are, could not be reached',
  },
  {
    kind: 'network',
    pattern: /error sending request for url \(https?:\/\/([^/)]+)/,
    says: 'The host $1, where some of its modules are, could not be reached',
  },
  {
    kind: 'version-not-found',
    pattern:
      /npm package '([^']+)' does not exist|Could not find (?:npm package|version '[^']+' for npm package) '([^']+)'|Could not find (?:constraint|version)[^\n]*'?(@[\w-]+\/[\w-]+)/,
    says: 'The registry does not have $1 in a version that it wants',
    hint: 'Check that the registry in use has it, else report it to the plugin’s authors.',
  },
  {
    kind: 'runtime-too-old',
    pattern: /unexpected argument '(--[\w-]+)' found|Deno\.\w+ is not a function|Unsupported lockfile version/,
    says: 'It is written for another version of Deno',
    hint: 'Install the Deno version that the plugin wants, or give the command with --command.',
  },
  { kind: 'entry-missing', pattern: /Module not found "file:\/\/([^"]+)"/, says: 'Its own file $1 is not there' },
  {
    kind: 'missing-module',
    pattern:
      /Import "([^"]+)" not a dependency|Could not resolve "([^"]+)"|Relative import path "([^"]+)" not prefixed/,
    says: 'The module $1 is imported but not declared',
  },
  {
    kind: 'unknown',
    pattern: /NotCapable: Requires (.+?) access to (?:<[^>]+>|"[^"]*")?/,
    says: 'It is not allowed the $1 access that it wants',
    hint: 'Grant it with --command, e.g. --command "deno run -A main.ts".',
  },
  {
    kind: 'unknown',
    pattern: /error: (SyntaxError: .+|The module's source code could not be parsed.*)/,
    says: 'Its own code is broken',
  },
];

export const explainDeno = (output: string, exit: ExitLike): Cause => explainWith(DENO_PATTERNS, plain(output), exit);

/** Colours, and a trace of Deno’s own that holds no name. */
const plain = (output: string): string =>
  output.replaceAll(/\u001b\[[\d;]*m/g, '').replaceAll(/\n+Stack backtrace:\n(?:\s+\d+: <unknown>\n?)*/g, '\n');
