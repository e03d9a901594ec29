/** A bare command: `-- node ./server.js --port 1`, run where the user is and as it is. */

import { resolve } from 'node:path';
import type { SourceOf } from '../../launchers/plan.ts';
import { splitCommand } from '../../launchers/words.ts';
import { type Places, refused } from './parts.ts';

/** null for a text that doesn't begin with two dashes and a blank. */
export function readCommand(text: string, { cwd = process.cwd() }: Places): SourceOf<'command'> | null {
  const [, line] = /^--\s+(.*)$/s.exec(text) ?? [];
  if (line === undefined) return null;
  const split = splitCommand(line);
  if (!split.ok) throw refused(`The command behind -- ${split.problem}.`);
  return { kind: 'command', argv: split.words, cwd: resolve(cwd), subdir: '' };
}
