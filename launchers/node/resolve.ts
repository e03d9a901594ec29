import { basename, dirname, join, relative, withoutExtension } from '../paths.ts';
import type { Candidate, FileView, LaunchPlan } from '../plan.ts';
import { isTypeScript } from './source.ts';

const OUTPUT = ['dist', 'build', 'lib', 'out'];

/**
 * Adds what a build wrote to another place than the package says (`dist/src/index.js` or `dist/index.mjs` for
 * `dist/index.js`), before the source itself, when no candidate's built file is there. A no-op otherwise, and before a
 * build.
 */
export function findBuilt(view: FileView, plan: LaunchPlan): LaunchPlan {
  const [first] = plan.start;
  if (first === undefined || first.entry === null || isTypeScript(first.entry)) return plan;
  const built = plan.start.filter(({ id }) => !id.startsWith('source:'));
  if (built.some(({ entry }) => entry === null || view.has(entry))) return plan;
  const { entry } = first;
  const file = written(view, plan.projectDir, entry);
  if (file === null) return plan;
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
  return { ...plan, start: [...built, found, ...plan.start.filter((candidate) => !built.includes(candidate))] };
}

/** The shallowest file of that name below the folders that builds write, if it is the only one at its depth. */
function written(view: FileView, dir: string, entry: string): string | null {
  const stem = withoutExtension(basename(entry));
  const names = [basename(entry), `${stem}.js`, `${stem}.mjs`, `${stem}.cjs`];
  const tops = new Set([relative(dir, entry).split('/')[0] ?? '', ...OUTPUT]);
  const found = view.files.filter((path) => {
    const inside = relative(dir, path);
    return names.includes(basename(path)) && tops.has(inside.split('/')[0] ?? '') && !inside.includes('node_modules/');
  });
  const depth = (path: string) => path.split('/').length;
  const least = Math.min(...found.map(depth));
  const shallowest = found.filter((path) => depth(path) === least);
  // `dist/index.js`, `dist/index.cjs` and `dist/index.mjs` are one program.
  const folders = new Set(shallowest.map(dirname));
  if (folders.size !== 1) return null;
  return names.map((name) => join(dirname(shallowest[0] ?? ''), name)).find((path) => found.includes(path)) ?? null;
}
