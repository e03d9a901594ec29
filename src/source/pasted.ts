/** Lines that people copy from a README: `git clone …`, `npx -y … args`, `uvx …`. What runs stays what they say. */

import type { SourceOf } from '../../launchers/plan.ts';
import { showSource } from '../../launchers/source-text.ts';
import { splitCommand } from '../../launchers/words.ts';
import { isNpmName, isPypiName, readSpec } from './package.ts';
import { refused } from './parts.ts';

/** What a line says: a source, and what of it is to be run. */
export interface PastedLine {
  /** Source in the grammar. */
  readonly text: string;
  /** Branch that the line itself named. */
  readonly ref?: string | undefined;
  /** Program of the source, where the line names one. */
  readonly command?: readonly string[] | undefined;
  readonly args: readonly string[];
}

/** Without what was copied along: quotes, `<…>`, a Markdown link, a shell's prompt, a comma. */
export function unwrap(text: string): string {
  const trimmed = text.trim();
  const inner =
    /^!?\[[^\]]*\]\(\s*<?([^\s<>]+?)>?\s*\)[.,;]?$/.exec(trimmed)?.[1] ??
    /^<([^<>]+)>[.,;]?$/.exec(trimmed)?.[1] ??
    /^(["'`])(.+)\1[.,;]?$/s.exec(trimmed)?.[2] ??
    /^\$\s+(.+)$/s.exec(trimmed)?.[1] ??
    /^([^\s]*[^\s,;])[,;]$/.exec(trimmed)?.[1];
  return inner === undefined ? trimmed : unwrap(inner);
}

/** null for everything that is no command line. Refusals never show its arguments: they may be secrets. */
export function readLine(text: string): PastedLine | null {
  const [first = '', ...more] = text.split(/\s+/);
  if (more.length === 0 || /[/:\\]/.test(first)) return null;
  if (/^[A-Za-z_]\w*=/.test(first)) {
    throw refused('Variables before a command are not read.', {
      hint: 'Give the command alone, and each variable with --env NAME=value.',
    });
  }
  if (!PROGRAMS.has(first)) return null;
  if (/^(git|gh|glab)$/.test(first)) return repositoryLine(text);
  const words = wordsOf(text);
  const behind = words.indexOf('--');
  // An AI client's own command: what it would start stands behind the dashes.
  if (CLIENTS.has(first) && words[1] === 'mcp' && behind > 0) {
    if (words.slice(0, behind).some((word) => /^(-e|--env|-H|--header)(=|$)/.test(word))) {
      throw refused(`The variables of this \`${first} mcp\` line are not read.`, {
        hint: 'Give what stands behind its --, and each variable with --env NAME=value.',
      });
    }
    return runLine(words.slice(behind + 1));
  }
  return runLine(words);
}

const CLIENTS = new Set(['claude', 'codex', 'gemini', 'amp', 'qwen']);

/** What a whole line can begin with; everything else with a blank in it is a path or a typing error. */
const PROGRAMS = new Set([
  ...CLIENTS,
  ...'git gh glab npx bunx pnpx npm pnpm yarn bun uvx uv pipx pip pip3 python python3 py node deno tsx ts-node'.split(
    ' ',
  ),
  ...'docker podman nerdctl java go cargo dotnet dnx ruby php sh bash zsh brew curl wget sudo env smithery'.split(' '),
]);

function wordsOf(text: string): readonly string[] {
  const split = splitCommand(text);
  if (split.ok) return split.words;
  throw refused(`The line ${split.problem}.`, { hint: 'Give the command that starts the server, and nothing else.' });
}

// ---- git clone ----

const CLONE = /^(git clone|gh repo clone|glab repo clone)\s+(.*)$/;
/** Of these the clone here has its own idea; a branch counts, and all others change what git runs. */
const HARMLESS =
  /^(--depth(=\d+)?|--recurse-submodules|--recursive|--single-branch|--no-tags|--filter(=\S+)?|-q|--quiet|-v|--verbose|--progress|--shallow-submodules|\d+)$/;

function repositoryLine(text: string): PastedLine {
  // What follows on the next line, or behind `&&`, is how one would build it by hand.
  const [line = ''] = text.split(/\s*(?:\n|&&|;)\s*/);
  const [, command = '', rest = ''] = CLONE.exec(line.replace(/\s+/g, ' ')) ?? [];
  if (command === '') throw refused('Of git’s commands only `git clone` names a source.');
  const words = [...wordsOf(rest)];
  let ref: string | undefined;
  while (words[0]?.startsWith('-') || /^\d+$/.test(words[0] ?? '')) {
    const option = words.shift() ?? '';
    const inline = /^(?:--branch=|-b(?==?.)=?)(.+)$/.exec(option)?.[1];
    if (option === '-b' || option === '--branch') ref = words.shift();
    else if (inline !== undefined) ref = inline;
    else if (!HARMLESS.test(option)) {
      throw refused(`\`git clone\` with the option ${option.split('=')[0]} is not a source.`, {
        hint: 'Give the address alone; a branch with --ref.',
      });
    }
  }
  const [place = ''] = words;
  // `gh` takes what is no address as a repository of GitHub.
  return {
    text: command.startsWith('glab') && /^[\w.-]+\/[\w./-]+$/.test(place) ? `gitlab:${place}` : place,
    ref,
    args: [],
  };
}

// ---- runners and installers of packages ----

interface Runner {
  readonly registry: SourceOf<'package'>['registry'];
  /** First words. */
  readonly words: readonly string[];
  /** Options that change nothing of what is run. */
  readonly flags: RegExp;
  /** Options whose value is the package, when the first word after them is only a program of it. */
  readonly from?: RegExp;
  /** False for installers: they run nothing. */
  readonly runs: boolean;
}

const NPX = {
  registry: 'npm',
  flags: /^(-y|--yes|-q|--quiet|--silent|-s|--bun|--prefer-offline|--prefer-online|--ignore-existing)$/,
  from: /^(-p|--package)$/,
  runs: true,
} as const;
const UVX = {
  registry: 'pypi',
  flags: /^(-q|--quiet|-v|--refresh|--isolated|--native-tls|--no-cache|--no-progress)$/,
  from: /^(--from|--spec)$/,
  runs: true,
} as const;
const NPM_INSTALL = {
  registry: 'npm',
  flags: /^(-g|--global|-D|-S|--save|--save-dev|--save-exact|-E|--no-save|-y|--yes)$/,
  runs: false,
} as const;
const PIP_INSTALL = {
  registry: 'pypi',
  flags: /^(-U|--upgrade|--user|-q|--quiet|--pre|--system|--force|--reinstall)$/,
  runs: false,
} as const;

const RUNNERS: readonly Runner[] = [
  ...['npx', 'bunx', 'pnpx', 'npm exec', 'npm x', 'pnpm dlx', 'yarn dlx', 'bun x'].map((line) => ({
    ...NPX,
    words: line.split(' '),
  })),
  ...['uvx', 'uv tool run', 'pipx run'].map((line) => ({ ...UVX, words: line.split(' ') })),
  ...[
    'npm install',
    'npm i',
    'npm add',
    'pnpm add',
    'pnpm install',
    'pnpm i',
    'yarn add',
    'yarn global add',
    'bun add',
    'bun install',
    'bun i',
  ].map((line) => ({ ...NPM_INSTALL, words: line.split(' ') })),
  ...[
    'pip install',
    'pip3 install',
    'python -m pip install',
    'python3 -m pip install',
    'uv pip install',
    'uv tool install',
    'uv add',
    'pipx install',
  ].map((line) => ({ ...PIP_INSTALL, words: line.split(' ') })),
];

function runLine(words: readonly string[]): PastedLine {
  const runner = RUNNERS.find((each) => each.words.every((word, at) => words[at] === word));
  if (runner === undefined) throw notASource(words);
  const rest = words.slice(runner.words.length);
  const dashes = rest.indexOf('--');
  let from: string | undefined;
  let at = 0;
  for (; rest[at]?.startsWith('-'); at++) {
    const word = rest[at] ?? '';
    if (at === dashes) continue;
    const [option = '', inline] = word.includes('=')
      ? [word.slice(0, word.indexOf('=')), word.slice(word.indexOf('=') + 1)]
      : [word];
    if (runner.from?.test(option)) from = inline ?? rest[++at];
    else if (!runner.flags.test(word)) throw notASource(words, option);
  }
  const [named, ...args] = rest.slice(at);
  const spec = from ?? named;
  if (spec === undefined || (named !== undefined && !runner.runs && args.length > 0)) throw notASource(words);
  const given = args[0] === '--' && runner.words[0] === 'npm' ? args.slice(1) : args;
  const program = from === undefined ? undefined : named;
  return {
    text: sourceOf(runner.registry, spec),
    // The package's own program needs no naming.
    ...(program === undefined || program === spec.replace(/[[@=<>~!].*$/, '') ? {} : { command: [program] }),
    args: runner.runs ? given : [],
  };
}

/** What a runner takes in place of a package: its name, else a source as it is written here too. */
function sourceOf(registry: Runner['registry'], spec: string): string {
  const [, direct] =
    registry === 'pypi' ? (/^[\w.[\],-]+\s*@\s*((?:git\+|https?:|file:|\.|\/).+)$/.exec(spec) ?? []) : [];
  if (direct !== undefined) return direct;
  const isName =
    registry === 'npm' ? isNpmName(spec) && (spec.startsWith('@') || !spec.includes('/')) : isPypiName(spec);
  const found = isName ? readSpec(registry, spec, spec).source : null;
  return found === null ? spec : showSource(found);
}

function notASource(words: readonly string[], option?: string) {
  const [program = ''] = words;
  const what =
    option === undefined
      ? `\`${program} …\` is not a source.`
      : `\`${program}\` with the option ${option} is not a source.`;
  const container = /^(docker|podman|nerdctl)$/.test(program);
  const why = container ? 'A container image can not be a source yet. ' : '';
  return refused(why + what, {
    hint: `To run the line as it is, put it behind two dashes: mcp-supervisor tools -- ${program} …`,
  });
}
