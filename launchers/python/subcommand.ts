/** Programs that only print their help without a subcommand: the one that serves, as their source names it. */

import type { Evidence } from '../plan.ts';
import { readImports } from './imports.ts';
import { lineOf } from './lines.ts';
import type { Tree } from './tree.ts';

export interface Subcommand {
  readonly word: string;
  readonly evidence: Evidence;
}

/** Best first. A word that is none of these may do anything. */
const SERVES = [
  'stdio',
  'serve',
  'server',
  'mcp',
  'mcp-server',
  'serve-mcp',
  'start-mcp-server',
  'run-server',
  'start-server',
  'start',
  'run',
];

/** click and typer: `@cli.command("serve")`, or without a name that of the function below. */
const COMMAND = /^[ \t]*@(?:\w+\.)?command\(\s*(?:name\s*=\s*)?(?:["']([\w-]+)["'])?/gm;
const GROUP = /@(?:click|\w+)\.group\(|^class \w+\((?:click\.)?\w*Group\)/m;
const TYPER = /\btyper\.Typer\(|\bTyper\(/;
const CALLBACK = /invoke_without_command\s*=\s*True|\.invoked_subcommand\b/;
/** argparse: subcommands that have to be given. */
const SUBPARSERS = /add_subparsers\(([^)]*)\)/;
const PARSER = /\.add_parser\(\s*["']([\w-]+)["']/g;

/** The subcommand without which the program of that file does nothing; null when it needs none, or none is known. */
export function servingSubcommand(view: Tree, roots: readonly string[], source: string): Subcommand | null {
  // The program's own command line is in the file that its script names, or in one that this imports first.
  for (const file of readImports(view, roots, source).files.slice(0, MAX_FILES)) {
    const text = view.read(file) ?? '';
    const names = commandsOf(text);
    if (names === null) continue;
    const word = SERVES.find((each) => names.includes(each));
    if (word === undefined) return null;
    const place = lineOf(view, file, new RegExp(`["']${word}["']|def ${word.replaceAll('-', '_')}\\b`));
    return {
      word,
      evidence: {
        file,
        ...place,
        says: `does nothing without a subcommand: ${word} of ${[...new Set(names)].slice(0, MOST_NAMED).join(', ')}`,
      },
    };
  }
  return null;
}

const MAX_FILES = 8;
const MOST_NAMED = 8;

/** Names of the subcommands of a program that demands one; null when the file has no such command line. */
function commandsOf(text: string): string[] | null {
  const isGroup = GROUP.test(text);
  if ((isGroup || TYPER.test(text)) && !CALLBACK.test(text)) {
    const names = [...text.matchAll(COMMAND)].map((match) => {
      const called = /\bdef (\w+)/.exec(text.slice(match.index))?.[1] ?? '';
      return match[1] ?? called.replaceAll('_', '-');
    });
    // A Typer with one command is that command.
    if (names.length > (isGroup ? 0 : 1)) return names;
  }
  const subparsers = SUBPARSERS.exec(text);
  if (subparsers !== null && /required\s*=\s*True/.test(subparsers[1] ?? '')) {
    return [...text.matchAll(PARSER)].map((match) => match[1] ?? '');
  }
  return null;
}
