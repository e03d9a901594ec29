/**
 * The words that a program wants before it serves (`stdio`, `serve`, `--transport stdio`): as its registry entry, else
 * the client configuration in its README, gives them.
 */

import { unscoped } from './identity.ts';
import { basename, join } from './paths.ts';
import type { Candidate, Evidence, FileView, LaunchPlan } from './plan.ts';
import { registryPackages, withRegistryEntry } from './server-json.ts';
import { sourceFiles } from './settings.ts';

/** Words that choose to serve over stdio; anything else in a configuration is its author's own setting. */
const SUBCOMMAND =
  /^(stdio|serve|server|start|mcp|(start|run|serve)-(mcp|server|stdio|mcp-server)|(mcp|stdio)-(server|stdio))$/;
const FLAG = /^--(stdio|(transport|mode|transport-type)=stdio)$/;
const OPTION = /^(--transport|--mode|--transport-type|-t)$/;

/** Ways to start that take the program's own arguments. */
const OWN = /^(bin|script|source|module|main|file)(:|$)/;

/** Appends the words to every candidate that lacks them; the plan itself when nothing says that there are any. */
export function withUsualArguments(view: FileView, plan: LaunchPlan, names: readonly string[]): LaunchPlan {
  const { projectDir: dir, start } = plan;
  const entries = start.flatMap(({ entry }) => (entry === null ? [] : [basename(entry)]));
  const own = start.map(({ id }) => id.slice(id.indexOf(':') + 1));
  const isProgram = programMatcher([...names, ...own], entries);
  const [entry] = registryPackages(view, dir, isProgram);
  const completed = withRegistryEntry(plan, entry);
  const registered = entry === undefined ? null : { words: leading(entry.args), file: entry.file };
  const found = registered ?? fromReadme(view, dir, isProgram);
  const [first] = found?.words ?? [];
  // A word that its source does not know was meant for another version.
  if (found === null || first === undefined || !sourceKnows(view, dir, first)) return completed;
  const { words, file } = found;
  const complete = (candidate: Candidate): Candidate =>
    !OWN.test(candidate.id) || candidate.command.args.includes(first)
      ? candidate
      : { ...candidate, command: { ...candidate.command, args: [...candidate.command.args, ...words] } };
  const evidence: Evidence = { file, says: `is started with ${words.join(' ')}` };
  return { ...completed, start: start.map(complete), args: words, evidence: [...completed.evidence, evidence] };
}

interface Found {
  readonly words: readonly string[];
  readonly file: string;
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
    const bare = last.replace(/(?<=.)(@|==|:).*$/, '').replace(/\[.*\]$/, '');
    return wanted.has(plain(bare)) || (entries.includes(last) && /[\\/]|\.py$/.test(word));
  };
}

/** `"args": ["-y", "name@latest", "stdio"]` of the first block that names the program: what its authors recommend. */
function fromReadme(view: FileView, dir: string, isProgram: (word: string) => boolean): Found | null {
  const file = join(dir, 'README.md');
  for (const [, list = ''] of (view.read(file) ?? '').matchAll(/["']?args["']?\s*[:=]\s*\[([^\]]*)\]/g)) {
    const words = [...list.matchAll(/"((?:[^"\\\n]|\\.)*)"|'([^'\n]*)'/g)].map(([, a, b]) => a ?? b ?? '');
    const at = words.findIndex(isProgram);
    if (at >= 0) return { words: leading(words.slice(at + 1)), file };
  }
  return null;
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
  const pattern = new RegExp(`["'\`\\s](?:--)?${bare}(?:["'\`\\s=<[,]|$)|\\bdef ${bare.replaceAll('-', '_')}\\(`, 'm');
  return sourceFiles(view, dir).some((file) => pattern.test(view.read(file) ?? ''));
}
