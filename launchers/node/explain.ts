/** What npm, pnpm, Yarn, Bun, tsc and node print when they fail. */

import { type ExitLike, explainWith, type Pattern } from '../explain.ts';
import type { Cause } from '../plan.ts';

/** The last package on a path, wherever a manager keeps it (`node_modules/.pnpm/x@1/node_modules/x`). */
const PACKAGE = String.raw`.*node_modules\/((?:@[\w.-]+\/)?[\w.-]+)`;

/** What a module in C or a downloaded program says when its install script has not run. */
const UNBUILT = new RegExp(
  [
    String.raw`Could not locate the bindings file\. Tried:\s*\n${PACKAGE}\/`,
    String.raw`Cannot find module '(?:\.{1,2}\/(?:build|out|prebuilds|bin|compiled)\/[^'\n]*|[^'\n]*\.node|\.prisma\/[^'\n]*)'\s*\nRequire stack:\s*\n- ${PACKAGE}\/`,
    String.raw`Failed to load native module:[^\n]*\nRequire stack:\s*\n- ${PACKAGE}\/`,
    String.raw`No native build was found for [\s\S]{0,300}?loaded from: ${PACKAGE}`,
    String.raw`Something went wrong installing the "(\w+)" module`,
    String.raw`Electron failed to install correctly.*node_modules\/(electron)`,
    String.raw`(@prisma\/client) did not initialize yet`,
    String.raw`spawn(?:Sync)? ${PACKAGE}\/\S+ ENOENT`,
  ].join('|'),
);

/** Language, globals, built-in modules and options that came with Node 22 and 24, and what asks for them in words. */
const TOO_OLD = new RegExp(
  [
    'No such built-in module|bad option: --|is not allowed in NODE_OPTIONS',
    String.raw`The requested module '(?:node:[\w/]+|fs|fs\/promises|path|util|module|crypto|process|test|timers\/promises)' does not provide an export named`,
    String.raw`(?:Promise\.(?:withResolvers|try)|Array\.fromAsync|(?:Object|Map)\.groupBy|RegExp\.escape|Error\.isError|Iterator\.from|Uint8Array\.fromBase64|structuredClone|process\.(?:loadEnvFile|getBuiltinModule)|markAsUncloneable) is not a function`,
    String.raw`\.(?:union|intersection|difference|symmetricDifference|isSubsetOf|isSupersetOf|isDisjointFrom|findLast|toSorted|isWellFormed|toBase64|toHex) is not a function`,
    String.raw`\b(?:File|WebSocket|CustomEvent|navigator|Iterator|URLPattern|Float16Array) is not defined`,
    // TypeScript that node itself was to run: from 22.18 on it leaves out the types.
    String.raw`ERR_UNKNOWN_FILE_EXTENSION|\.[cm]?ts:\d+\n[^\n]*\n[^\n]*\n+SyntaxError:`,
    String.raw`(?:^|\s)using \w+ =[^\n]*\n\s*\^+\n+SyntaxError|SyntaxError: Unexpected (?:token 'with'|token 'assert')|Invalid regular expression: \/.*(?:Invalid group|Invalid flags)`,
    String.raw`requires? (?:at least )?Node(?:\.js)?:? ?(?:version )?v?[\d>=^]|Node(?:\.js)? (?:version )?v?[\d.]+ (?:or (?:higher|later|newer|above) )?is (?:required|not supported|no longer supported)|[Uu]nsupported Node(?:\.js)? version`,
  ].join('|'),
);

export const NODE_PATTERNS: readonly Pattern[] = [
  {
    kind: 'held-back',
    pattern: /code EALLOW(?:GIT|REMOTE)\b[\s\S]*?Refusing to fetch "([^"\n]+)"/,
    says: 'npm does not fetch $1: it is no package of the registry, and npm’s settings allow none but those',
    hint: 'If you trust it, allow it with --allow-scripts, or for all that you install with `npm config set allow-git=all allow-remote=all`.',
  },
  {
    kind: 'held-back',
    pattern: /code ESTRICTALLOWSCRIPTS/,
    says: 'npm’s settings refuse a package whose install script was not allowed',
    hint: 'Name the packages with --allow-scripts, if you trust them.',
  },
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
    kind: 'held-back',
    pattern: UNBUILT,
    says: 'The module $1 is of no use before its install script has run, and that has not',
    hint: 'If you trust it, let the script run: --allow-scripts $1.',
  },
  {
    kind: 'missing-setting',
    // Zod on a configuration that is read from the environment.
    pattern: /(?:ZodError|invalid_type)[\s\S]*?path["']?: ?\[\s*["']([A-Z][A-Z0-9_]+)["']\s*\]/,
    says: 'The setting $1 is missing or wrong',
    hint: 'Pass it with --env $1=value.',
  },
  {
    kind: 'missing-setting',
    pattern: /code: 'invalid_type'[\s\S]*?received: 'undefined'|Invalid input: expected \w+, received undefined/,
    says: 'A setting is missing',
    hint: 'Pass it with --env NAME=value; `mcp-supervisor detect` lists the names that it reads.',
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
      /No versions available for (\S+)|No version matching "[^"]*" found for specifier "([^"]+)" \(blocked by minimum-release-age|YN0016: │ (\S+): All versions satisfying|ERR_PNPM_NO_MATURE_MATCHING_VERSION[^\n]* of (\S+) does not meet/,
    says: 'The registry has no version of $1 from that time',
    hint: 'Some registries do not keep the dates of releases: use another one, or a plugin with a lock file.',
  },
  {
    kind: 'version-not-found',
    pattern:
      /code E40[13]\b[\s\S]*?(https?:\/\/[^\s/]+)|ERR_PNPM_FETCH_40[13][\s\S]*?(https?:\/\/[^\s/]+)|YN0041|\b401 Unauthorized\b[\s\S]*?(https?:\/\/[^\s/]+)/,
    says: 'The registry $1 wants a login for a package that it has, or has it not',
    hint: 'If you may have the package, log in to that registry (npm login, or an entry in ~/.npmrc).',
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
    pattern: TOO_OLD,
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
      /Cannot find module (@\S+?)\. npm has a bug|The package "([^"]+)" could not be found, and is needed by|Cannot find (?:module|package) ['"]([^'"]+)['"]|Module not found:(?: Error:)?(?: Can't resolve)? ['"]?([^\s'"]+)|Could not resolve:? ['"]([^'"]+)['"]/,
    says: 'The module $1 is missing',
  },
  {
    kind: 'build-failed',
    pattern:
      /Build failed with \d+ errors?|error during build|Rollup failed|✘ \[ERROR\] |webpack \S+ compiled with \d+ error/,
    says: 'The build failed',
  },
  {
    kind: 'network',
    pattern: /network request to (https?:\/\/[^\s/]+)\S* failed/,
    says: 'The host $1 could not be reached',
  },
];

export const explainNode = (output: string, exit: ExitLike): Cause => explainWith(NODE_PATTERNS, output, exit);
