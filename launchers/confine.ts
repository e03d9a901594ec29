/** Plans that files of a plugin made stay inside the plugin's folder. */

import { basename, join } from './paths.ts';
import type { Command, LaunchPlan, Refusal } from './plan.ts';
import { badManifest } from './refusal.ts';

/**
 * DETECT_BAD_MANIFEST when a command of the plan runs a file or works in a folder outside of the tree; null when none does.
 * Bare names are tools or on PATH. Not asked of what the caller said: that is their own machine.
 */
export function leavingTree(plan: LaunchPlan): Refusal | null {
  const { install, build, start, projectDir } = plan;
  const steps = [...install.flatMap((rung) => [...rung.steps, ...(rung.afterwards ?? [])]), ...build];
  const commands = [...steps, ...start.map(({ command }) => command)];
  const word =
    [projectDir, ...start.flatMap(({ entry }) => entry ?? [])].find(leaves) ??
    commands.flatMap((command) => wordOf(command) ?? [])[0];
  if (word === undefined) return null;
  const file = plan.evidence.find((each) => each.file !== '')?.file ?? projectDir;
  return badManifest(
    file,
    `wants to run ${JSON.stringify(word.slice(0, 200))}, which is outside of the plugin’s folder`,
    'Don’t trust it. If you do, give the command yourself with --command.',
  );
}

/** The word of a command that leads out of the tree. */
function wordOf({ program, args, cwd }: Command): string | null {
  if (leaves(cwd)) return cwd;
  if (program.includes('/') && leaves(program)) return program;
  if (!INTERPRETER.test(basename(program))) return null;
  // Of an interpreter the first file is what runs; those behind it are its arguments.
  const script = args.find((word) => !word.startsWith('-'));
  return script !== undefined && /^\.{0,2}\//.test(script) && leavesFrom(cwd, script) ? script : null;
}

const INTERPRETER = /^(node|bun|deno|tsx|python[\d.]*|ruby|php|sh|bash|zsh|dash|java|perl)$/;

const leaves = (path: string): boolean => path.startsWith('/') || /^\.\.(\/|$)/.test(join(path));

const leavesFrom = (cwd: string, path: string): boolean => path.startsWith('/') || leaves(join(cwd, path));
