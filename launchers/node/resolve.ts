import { basename, join, relative } from '../paths.ts';
import type { Candidate, FileView, LaunchPlan } from '../plan.ts';

const OUTPUT = ['dist', 'build', 'lib', 'out'];

/**
 * Adds what a build wrote to another place than the package says (`dist/src/index.js` for `dist/index.js`), as the last
 * choice, when no candidate's file is there. A no-op otherwise, and before a build.
 */
export function findBuilt(view: FileView, plan: LaunchPlan): LaunchPlan {
  const first = plan.start[0];
  if (
    first === undefined ||
    first.entry === null ||
    plan.start.some(({ entry }) => entry === null || view.has(entry))
  ) {
    return plan;
  }
  const { entry } = first;
  const below = relative(plan.projectDir, entry);
  const top = below.split('/')[0] ?? '';
  const tops = new Set([top, ...OUTPUT]);
  const [file, ...more] = view.files.filter((path) => {
    const inside = relative(plan.projectDir, path);
    return (
      basename(path) === basename(entry) && tops.has(inside.split('/')[0] ?? '') && !inside.includes('node_modules/')
    );
  });
  if (file === undefined || more.length > 0) return plan;
  const found: Candidate = {
    id: `found:${relative(plan.projectDir, file)}`,
    entry: file,
    command: {
      ...first.command,
      args: first.command.args.map((word) =>
        join(first.command.cwd, word) === entry ? relative(first.command.cwd, file) : word,
      ),
    },
  };
  return { ...plan, start: [...plan.start, found] };
}
