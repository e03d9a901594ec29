/**
 * The words that a program wants before it serves (`stdio`, `serve`, `--transport stdio`): as its registry entry gives
 * them, else the client configuration in its README, its Dockerfile, or its own source.
 */

import { copiedFrom, readDockerfile } from './dockerfile.ts';
import { wordsFromSource } from './go/words.ts';
import { unscoped } from './identity.ts';
import { withServingCommand } from './node/serving-command.ts';
import { basename, dirname, join } from './paths.ts';
import type { Candidate, Evidence, FileView, LaunchPlan } from './plan.ts';
import { servingWords } from './rust/clap.ts';
import { registryPackages, withRegistryEntry } from './server-json.ts';
import { sourceFiles } from './settings.ts';

/** Words that choose to serve over stdio; anything else in a configuration is its author's own setting. */
const SUBCOMMAND =
  /^(stdio|serve|server|start|mcp|(start|run|serve)-(mcp|server|stdio|mcp-server)|(mcp|stdio)-(server|stdio))$/;
const FLAG = /^--(stdio|mcp|(transport|mode|transport-type)=stdio)$/;
const OPTION = /^(--transport|--mode|--transport-type|-t)$/;

/** Ways to start that take the program's own arguments. */
const OWN = /^(bin|script|source|module|main|file|jar|classes|project)(:|$)/;

/**
 * Appends the words to every candidate that lacks them; the plan itself when nothing says that there are any. With
 * arguments of the caller's own (`given`) only a subcommand is put before them, and nothing where they begin with one.
 */
export function withUsualArguments(
  view: FileView,
  plan: LaunchPlan,
  names: readonly string[],
  given: readonly string[] = [],
): LaunchPlan {
  const { projectDir: dir, start } = plan;
  const entries = start.flatMap(({ entry }) => (entry === null ? [] : [basename(entry)]));
  const own = start.map(({ id }) => id.slice(id.indexOf(':') + 1));
  const isProgram = programMatcher([...names, ...own], entries);
  const [entry] = registryPackages(view, dir, isProgram);
  const completed = withRegistryEntry(plan, entry);
  const registered: Found | null = entry === undefined ? null : { words: leading(entry.args), file: entry.file };
  const found = registered ?? fromReadme(view, dir, isProgram) ?? fromDockerfile(view, plan, isProgram);
  if (found === null && plan.launcher === 'go') return withSourceWords(view, completed, [...names, ...own], given);
  const words = besides(found?.words ?? [], given);
  if (words.length === 0 && plan.launcher === 'rust') return withServingWords(view, completed, given);
  if (words.length === 0 && given.length === 0 && plan.launcher === 'node') return withServingCommand(view, completed);
  const [first] = words;
  // A word that its source does not know was meant for another version.
  if (found === null || first === undefined || !sourceKnows(view, dir, first)) return completed;
  const { file, line } = found;
  const complete = (candidate: Candidate): Candidate =>
    !OWN.test(candidate.id) || candidate.command.args.includes(first)
      ? candidate
      : { ...candidate, command: { ...candidate.command, args: [...candidate.command.args, ...words] } };
  const evidence: Evidence = {
    file,
    ...(line === undefined ? {} : { line }),
    says: `is started with ${words.join(' ')}`,
  };
  return { ...completed, start: start.map(complete), args: words, evidence: [...completed.evidence, evidence] };
}

interface Found {
  readonly words: readonly string[];
  readonly file: string;
  readonly line?: number;
}

/** What is left to say when the caller says something too. */
function besides(words: readonly string[], given: readonly string[]): readonly string[] {
  const [first] = given;
  if (first === undefined) return words;
  if (/^\w[\w-]*$/.test(first)) return [];
  const end = words.findIndex((word) => !SUBCOMMAND.test(word));
  return end < 0 ? words : words.slice(0, end);
}

/** Read from source they are a guess: the program without them is the next choice. */
function withSourceWords(
  view: FileView,
  plan: LaunchPlan,
  names: readonly string[],
  given: readonly string[],
): LaunchPlan {
  const found = wordsFromSource(view, plan, names);
  const words = besides(found?.words ?? [], given);
  if (found === null || words.length === 0) return plan;
  const start = plan.start.flatMap((candidate) => [
    { ...candidate, command: { ...candidate.command, args: [...candidate.command.args, ...words] } },
    candidate,
  ]);
  return { ...plan, start, args: words, evidence: [...plan.evidence, found.evidence] };
}

/** What the program's own source says that it needs to serve. */
function withServingWords(view: FileView, plan: LaunchPlan, given: readonly string[]): LaunchPlan {
  const [first] = plan.start;
  const owner = dirname(dirname(dirname(first?.entry ?? '')));
  const words = besides(servingWords(view, owner), given);
  if (words.length === 0) return plan;
  const start = plan.start.map((candidate) => ({
    ...candidate,
    command: { ...candidate.command, args: [...candidate.command.args, ...words] },
  }));
  const evidence = { file: join(owner, 'src'), says: `serves when started with ${words.join(' ')}` };
  return { ...plan, start, args: words, evidence: [...plan.evidence, evidence] };
}

const plain = (name: string): string =>
  unscoped(name)
    .toLowerCase()
    .replaceAll(/[-_.]+/g, '-');

/** True for a word of a command line that names the program: `@scope/name@latest`, `org/name:tag`, `/path/to/dist/index.js`. */
function programMatcher(names: readonly string[], entries: readonly string[]): (word: string) => boolean {
  const wanted = new Set(names.filter((name) => name !== '').map(plain));
  return (word) => {
    const last = basename(word.replaceAll('\\', '/'));
    const bare = last
      .replace(/(?<=.)(@|==|:).*$/, '')
      .replace(/\[.*\]$/, '')
      // Jars carry their version, and what is inside of them.
      .replace(/(-v?\d[\w.+]*)?(-[a-z-]+)?\.(jar|war|dll)$/i, '');
    return wanted.has(plain(bare)) || (entries.includes(last) && /[\\/]|\.(py|rb|php|ts)$/.test(word));
  };
}

/** `"args": ["-y", "name@latest", "stdio"]` of the first block that names the program: what its authors recommend. */
function fromReadme(view: FileView, dir: string, isProgram: (word: string) => boolean): Found | null {
  const file = join(dir, 'README.md');
  const text = view.read(file) ?? '';
  for (const { 0: whole, 1: list = '', index } of text.matchAll(/["']?args["']?\s*[:=]\s*\[([^\]]*)\]/g)) {
    const words = [...list.matchAll(/"((?:[^"\\\n]|\\.)*)"|'([^'\n]*)'/g)].map(([, a, b]) => a ?? b ?? '');
    const at = words.findIndex(isProgram);
    if (at < 0) {
      const command = commandBeside(text, index, index + whole.length);
      if (command !== null && isProgram(command.replace(/\.exe$/i, ''))) return { words: leading(words), file };
      continue;
    }
    // `npx --package @acme/weather -- weather-mcp start`: the program's name stands once more.
    const again = words[at + 1] === '--' && isProgram(words[at + 2] ?? '') ? 2 : 0;
    const found = leading(words.slice(at + 1 + again));
    // What a container is started with stands in its image.
    const isContainer = words[0] === 'run' && words.slice(1, at).some((word) => word.startsWith('-'));
    if (found.length > 0 || !isContainer) return { words: found, file };
  }
  return null;
}

/** The `"command"` of the object that the list of arguments is in. */
function commandBeside(text: string, from: number, to: number): string | null {
  const before = /[^{}]*$/.exec(text.slice(Math.max(0, from - 400), from))?.[0] ?? '';
  const behind = /^[^{}]*/.exec(text.slice(to, to + 400))?.[0] ?? '';
  return /["']?\bcommand["']?\s*[:=]\s*["']([^"'\n]+)["']/.exec(`${before}\n${behind}`)?.[1] ?? null;
}

/** Programs that only start another one. */
const STARTERS = /^(tini|dumb-init|env|node|python[\d.]*|uv|uvx|npx|npm|bun|deno|java|ruby|php|dotnet|sh|bash)$/;

/** What the image's command has behind the program. One that is built is seldom called in the image as it is here. */
function fromDockerfile(view: FileView, plan: LaunchPlan, isProgram: (word: string) => boolean): Found | null {
  const dockerfile = readDockerfile(view, plan.projectDir);
  if (dockerfile === null) return null;
  const { command, file, cmd, entrypoint } = dockerfile;
  const named = command.findIndex((word) => isProgram(word) || isProgram(copiedFrom(dockerfile, word)));
  const isOther = STARTERS.test(basename(command[0] ?? '')) || !['go', 'rust'].includes(plan.launcher);
  const at = named >= 0 || isOther ? named : 0;
  const words = at < 0 ? [] : leading(command.slice(at + 1));
  const line = (cmd ?? entrypoint)?.line;
  return words.length === 0 ? null : { words, file, ...(line === undefined ? {} : { line }) };
}

/** As many of the first words as choose how to serve; none when another bare word follows, whose meaning they may need. */
function leading(words: readonly string[]): string[] {
  const taken: string[] = [];
  for (let at = 0; at < words.length; ) {
    const [word = '', next] = words.slice(at);
    const count = SUBCOMMAND.test(word) || FLAG.test(word) ? 1 : OPTION.test(word) && next === 'stdio' ? 2 : 0;
    if (count === 0) return /^\w[\w:.-]*$/.test(word) ? [] : taken;
    taken.push(...words.slice(at, at + count));
    at += count;
  }
  return taken;
}

function sourceKnows(view: FileView, dir: string, word: string): boolean {
  const name = word.replace(/=.*$/, '');
  const bare = name.replace(/^-+/, '');
  // In Rust commands are variants and options are fields, written in its own way.
  const variant = bare.replaceAll(/(?:^|-)([a-z])/g, (_, letter: string) => letter.toUpperCase());
  const field = bare.replaceAll('-', '_');
  const pattern = new RegExp(
    `["'\`\\s](?:--)?${bare}(?:["'\`\\s=<[,]|$)|\\bdef ${field}\\(|^\\s*(?:${variant}|${bare.toUpperCase()})\\s*(?:[,({]|$)|\\b${field}: (?:bool|Option<|\\w*Transport)`,
    'm',
  );
  return sourceFiles(view, dir).some((file) => pattern.test(view.read(file) ?? ''));
}
