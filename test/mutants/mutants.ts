/**
 * Breakages that the reliability suite must notice: each is a mistake that someone could make in one line. `npm run
 * mutants` makes them one by one in a copy of the tree and runs the scenario that has to fail.
 */

import { calls } from './list/calls.ts';
import { death } from './list/death.ts';
import { io } from './list/io.ts';
import { ports } from './list/ports.ts';
import { restarts } from './list/restarts.ts';
import { starts } from './list/starts.ts';
import { stopping } from './list/stopping.ts';
import { truth } from './list/truth.ts';

export interface Mutant {
  readonly name: string;
  /** From the project's folder. */
  readonly file: string;
  /** Occurs exactly once in the file. */
  readonly find: string;
  readonly replace: string;
  /** Number of the scenario that fails (`test/reliability/README.md`). */
  readonly caughtBy: `R${number}`;
}

export const mutants: readonly Mutant[] = [
  ...stopping,
  ...starts,
  ...calls,
  ...truth,
  ...restarts,
  ...io,
  ...ports,
  ...death,
];
