/** What npm, pnpm, Yarn, Bun, tsc and node print when they fail. */

import { type ExitLike, explainWith, type Pattern } from '../explain.ts';
import type { Cause } from '../plan.ts';

export const NODE_PATTERNS: readonly Pattern[] = [
  {
    kind: 'lock-out-of-date',
    pattern:
      /can only install packages when your package\.json and|can only install with an existing package-lock|ERR_PNPM_(?:OUTDATED_LOCKFILE|LOCKFILE_CONFIG_MISMATCH|NO_LOCKFILE|BROKEN_LOCKFILE|LOCKFILE_BREAKING_CHANGE|FROZEN_LOCKFILE\w*|LOCKFILE_MISSING_DEPENDENCY)|lockfile needs to be updated, but yarn was run|YN0028|lockfile had changes, but lockfile is frozen|Failed to parse lockfile|Unknown lockfile version/,
    says: 'The lock file does not match the manifest',
  },
  {
    kind: 'lock-out-of-date',
    pattern: /EINTEGRITY|ERR_PNPM_TARBALL_INTEGRITY|[Ii]ntegrity check(?:sum)? failed|YN0018/,
    says: 'A package is not the one that the lock file names',
  },
  {
    kind: 'engine-mismatch',
    pattern:
      /(?:error|ERR!) code EBADENGINE|ERR_PNPM_UNSUPPORTED_ENGINE|The engine "(?:node|npm|yarn|pnpm)" is incompatible|was compiled against a different Node\.js version|NODE_MODULE_VERSION/,
    says: 'It is made for another version of Node',
    hint: 'Install the Node version that the plugin wants.',
  },
  {
    kind: 'incompatible-dependency',
    pattern: /\bERESOLVE\b|ERR_PNPM_PEER_DEP_ISSUES/,
    says: 'Its dependencies contradict each other',
  },
  {
    kind: 'build-failed',
    pattern: /[\w./-]+\(\d+,\d+\): error TS\d+|[\w./-]+:\d+:\d+ - error TS\d+|^error TS\d+/m,
    says: 'The TypeScript compiler found errors',
  },
  {
    kind: 'missing-program',
    pattern: /(?:sh|bash)(?:: line \d+|: \d+)?: ([^\s:]+): (?:command )?not found/,
    says: 'A script calls $1, which is not there',
    hint: 'Install $1.',
  },
  {
    kind: 'install-script-failed',
    pattern:
      /npm (?:error|ERR!) command failed|npm (?:error|ERR!) Lifecycle script|ELIFECYCLE|YN0009|\/node_modules\/[^\s:]+: Command failed|install script from "([^"]+)" exited|(?:pre|post)?install: Failed|gyp ERR!/,
    says: 'A script that the install runs failed',
  },
  {
    kind: 'version-not-found',
    pattern:
      /404\s+(?:The requested resource )?'([^']+)' (?:could not be found|is not in)|No matching version found for (\S+[^\s.])|Couldn't find (?:any versions for|package) "([^"]+)"|YN0035: │ (\S+): Package not found/,
    says: 'The registry does not have $1',
    hint: 'Check that the registry in use has it; if it is private, log in to it, else report it to the plugin’s authors.',
  },
  {
    kind: 'version-not-found',
    pattern:
      /code ETARGET|(?:error|ERR!) code E404|No matching version found|ERR_PNPM_(?:NO_MATCHING_VERSION|FETCH_404|NO_VERSIONS|META_FETCH_FAIL)|Couldn't find any versions for|Couldn't find package|YN0082|YN0035|No version matching|failed to resolve\b|\b404 Not Found\b|- 404\b/,
    says: 'The registry does not have a version that it wants',
  },
  {
    kind: 'runtime-too-old',
    pattern:
      /ERR_UNKNOWN_BUILTIN_MODULE|No such built-in module|ERR_UNKNOWN_FILE_EXTENSION|bad option: --|requires (?:at least )?Node(?:\.js)? ?(?:version )?v?[\d>=]|(?:Promise\.withResolvers|Array\.fromAsync|Set\.prototype\.\w+|\w+\.findLast|structuredClone|Iterator\.from) is not a function|\b(?:File|WebSocket|CustomEvent|navigator|Iterator) is not defined|SyntaxError: Unexpected (?:token 'with'|identifier 'using'|token 'assert')/,
    says: 'It needs a newer Node than it got',
    hint: 'Install a newer Node.',
  },
  {
    kind: 'entry-missing',
    pattern: /Cannot find module '\/[^']+'\n(?:.*\n){1,12}?.*requireStack: \[\]/,
    says: 'The file that it is started with is not there',
  },
  {
    kind: 'entry-missing',
    pattern: /Cannot find module '(\/(?:(?!\/node_modules\/)[^'])+)' imported from/,
    says: 'Its own file $1 is not there: it was not built, or not committed',
    hint: 'Name another program with --command, or report it to the plugin’s authors.',
  },
  {
    kind: 'incompatible-dependency',
    pattern:
      /does not provide an export named|ERR_PACKAGE_PATH_NOT_EXPORTED|ERR_REQUIRE_ESM|ERR_PACKAGE_IMPORT_NOT_DEFINED/,
    says: 'A dependency is of a version that it was not written for',
  },
  {
    kind: 'missing-module',
    pattern:
      /Cannot find (?:module|package) ['"]([^'"]+)['"]|Module not found: (\S+)|Could not resolve:? ['"]([^'"]+)['"]/,
    says: 'The module $1 is missing',
  },
  {
    kind: 'build-failed',
    pattern:
      /Build failed with \d+ errors?|error during build|Rollup failed|✘ \[ERROR\] |webpack \S+ compiled with \d+ error/,
    says: 'The build failed',
  },
];

export const explainNode = (output: string, exit: ExitLike): Cause => explainWith(NODE_PATTERNS, output, exit);
