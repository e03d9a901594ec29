import type { Candidate, FileView, LaunchPlan } from '../plan.ts';
import { textOf } from './source.ts';

/** Commands of a program of several that serve, likeliest first. */
const SERVING = ['mcp', 'stdio', 'serve', 'start-mcp', 'mcp-server', 'server', 'start', 'start-server'];

/** How a program tells its commands apart: a library's declaration, a comparison with what was given. */
const DECLARES =
  /(?:\.command\(\s*|\bcase\s+|\b(?:command|cmd|subcommand|args\[0\]|argv\[2\])\s*===?\s*)["'`]([\w-]+)/g;

/**
 * The same program with the command that serves, as its source names it, right behind the program without one: where
 * that ends at once, this is tried.
 */
export function withServingCommand(view: FileView, plan: LaunchPlan): LaunchPlan {
  const [first, ...others] = plan.start;
  if (first === undefined || first.entry === null || first.command.args.length > 1) return plan;
  const text = textOf(view, plan.projectDir, first.entry) ?? '';
  const declared = new Set([...text.matchAll(DECLARES)].map(([, name]) => name));
  const word = SERVING.find((name) => declared.has(name));
  if (word === undefined) return plan;
  const serving: Candidate = {
    ...first,
    id: `${first.id} ${word}`,
    command: { ...first.command, args: [...first.command.args, word] },
  };
  return { ...plan, start: [first, serving, ...others] };
}
