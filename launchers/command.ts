/** A command that the user typed: nothing is looked for, nothing installed, and it runs where the user is. */

import { createBasePlan } from './base-plan.ts';
import { join } from './paths.ts';
import type { LaunchPlan, Overrides, SourceOf } from './plan.ts';

export function planCommand({ argv, cwd }: SourceOf<'command'>, overrides: Overrides): LaunchPlan {
  const [word = '', ...args] = argv;
  const folder = `/${join(cwd, overrides.cwd ?? '')}`;
  const isRelative = word.includes('/') && !word.startsWith('/');
  return {
    ...createBasePlan('binary', 'binary', ''),
    // Whatever of that name comes first on the user's PATH, an activated venv's Python for one: no tool of ours.
    start: [
      {
        id: 'command',
        command: { program: isRelative ? `/${join(folder, word)}` : word, args, cwd: folder },
        entry: null,
      },
    ],
    confidence: 'high',
    evidence: [{ file: '', says: `the command was given, and runs in ${folder}` }],
  };
}
