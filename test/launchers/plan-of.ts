import { type Candidate, isRefusal, type LaunchPlan, type Overrides, type Refusal } from '../../launchers/plan.ts';
import { planFor } from '../../launchers/table.ts';
import { createFileView } from '../support/file-view.ts';
import { createSpec } from '../support/spec.ts';

interface Given {
  readonly name?: string;
  readonly subdir?: string;
  readonly overrides?: Overrides;
}

/** The plan of a folder given as text; a refusal fails the test with its words. */
export function planOf(files: Readonly<Record<string, string>>, { name, subdir, overrides }: Given = {}): LaunchPlan {
  const made = planFor(createFileView(files), createSpec(name, subdir, overrides));
  if (isRefusal(made)) throw new Error(`refused: ${made.code} ${made.message}`);
  return made;
}

export function refusalOf(files: Readonly<Record<string, string>>, { name, subdir, overrides }: Given = {}): Refusal {
  const made = planFor(createFileView(files), createSpec(name, subdir, overrides));
  if (!isRefusal(made)) throw new Error(`planned: ${made.start.map(line).join(', ')}`);
  return made;
}

/** `node dist/index.js`, with the folder when it is not the root. */
export const line = ({ command: { program, args, cwd } }: Pick<Candidate, 'command'>): string =>
  [program, ...args].join(' ') + (cwd === '' ? '' : ` @ ${cwd}`);

export const starts = ({ start }: LaunchPlan): string[] => start.map(line);
export const rungs = ({ install }: LaunchPlan): string[] => install.map(({ id }) => id);
export const builds = ({ build }: LaunchPlan): string[] => build.map((command) => line({ command }));
export const toolOf = ({ tools }: LaunchPlan, name: string) => tools.find((tool) => tool.name === name);

export const json = (value: unknown): string => JSON.stringify(value, null, 2);

export const SDK = { '@modelcontextprotocol/sdk': '^1.30.0' };
