/** Servers below a root that is none itself: members of its workspace, or folders one and two levels down. */

import { sourceName, unscoped } from './identity.ts';
import { workspaceAt } from './node/workspace.ts';
import { basename, isBelow, join, relative } from './paths.ts';
import { type FileView, isRefusal, type LaunchPlan, type PluginSpec, type Refusal } from './plan.ts';
import { registrySubfolder } from './server-json.ts';

/** Folders that hold no plugin, whatever is in them. */
const ASIDE =
  /^(\..*|docs?|documentation|examples?|samples?|demos?|tests?|__tests__|e2e|spec|fixtures|benchmarks?|scripts?|tools?|website|site|assets|static|public|templates?|vendor|third_party|dist|build|out|lib|target|node_modules|venv|coverage)$/;

/**
 * The one server below `dir`: the only one of those that are surest, or the one named like the repository. Several are
 * DETECT_AMBIGUOUS with the folders as choices; none is the refusal of the root itself, with what was seen below.
 */
export function findBelow(
  view: FileView,
  dir: string,
  spec: PluginSpec,
  planFolder: (dir: string) => LaunchPlan | Refusal | null,
  refusal: Refusal,
): LaunchPlan | Refusal {
  const plans: LaunchPlan[] = [];
  const broken: Refusal[] = [];
  for (const folder of foldersBelow(view, dir)) {
    // A package inside another one is a part of it.
    if (plans.some(({ projectDir }) => isBelow(folder, projectDir))) continue;
    const made = planFolder(folder);
    if (made === null) continue;
    if (!isRefusal(made)) plans.push(made);
    else if (made.code === 'DETECT_BAD_MANIFEST') broken.push(made);
  }
  const sure = plans.filter(({ confidence }) => confidence !== 'low');
  const surest = plans.filter(({ confidence }) => confidence === 'high');
  const [group = []] = [surest, sure, plans].filter((each) => each.length > 0);
  const [only, ...more] = group;
  if (only === undefined) return broken[0] ?? withSearch(refusal, examplesBelow(view, dir, planFolder));
  const registered = group.find(({ projectDir }) => projectDir === registrySubfolder(view)) ?? null;
  const chosen = more.length === 0 ? only : (registered ?? namedLike(sourceName(spec.source), group));
  if (chosen !== null) {
    const says =
      more.length === 0
        ? 'is the only server below'
        : chosen === registered
          ? 'is the folder that server.json names'
          : 'is named like the repository';
    return { ...chosen, evidence: [{ file: chosen.projectDir, says }, ...chosen.evidence] };
  }
  const choices = (sure.length > 0 ? sure : plans)
    .map(({ projectDir }) => relative(dir, projectDir))
    .map((path) => join(dir, path));
  return {
    code: 'DETECT_AMBIGUOUS',
    message: `${dir === '' ? 'The repository' : dir} holds ${choices.length} servers: ${choices.join(', ')}.`,
    hint: `Choose one with --subdir, e.g. --subdir ${choices[0]}.`,
    evidence: choices.map((choice) => ({ file: choice, says: 'holds a server' })),
    choices,
  };
}

function foldersBelow(view: FileView, dir: string): string[] {
  const members = workspaceAt(view, dir)?.members ?? [];
  const prefix = dir === '' ? '' : `${dir}/`;
  const near = new Set<string>();
  for (const file of view.files) {
    if (!file.startsWith(prefix)) continue;
    const parts = file.slice(prefix.length).split('/').slice(0, -1);
    for (let depth = 1; depth <= Math.min(2, parts.length); depth++) near.add(prefix + parts.slice(0, depth).join('/'));
  }
  const all = [...new Set([...members, ...near])].filter(
    (folder) =>
      !relative(dir, folder)
        .split('/')
        .some((part) => ASIDE.test(part)),
  );
  return all.sort((a, b) => a.split('/').length - b.split('/').length || (a < b ? -1 : 1));
}

/** By folder or program name; null unless exactly one is. */
function namedLike(name: string, plans: readonly LaunchPlan[]): LaunchPlan | null {
  if (name === '') return null;
  const names = ({ projectDir, start }: LaunchPlan) => [
    basename(projectDir),
    ...start.map(({ id }) => unscoped(id.slice(id.indexOf(':') + 1))),
  ];
  const named = plans.filter((plan) => names(plan).includes(name));
  return named.length === 1 ? (named[0] ?? null) : null;
}

/** Servers among the examples of a library: never chosen, but worth naming. */
function examplesBelow(view: FileView, dir: string, planFolder: (dir: string) => LaunchPlan | Refusal | null) {
  const prefix = dir === '' ? '' : `${dir}/`;
  const folders = new Set(
    view.files.flatMap((file) => {
      const [top = '', second, ...rest] = file.startsWith(prefix) ? file.slice(prefix.length).split('/') : [];
      if (!/^(examples?|samples?|demos?)$/.test(top) || second === undefined) return [];
      return rest.length === 0 ? [prefix + top] : [prefix + top, `${prefix + top}/${second}`];
    }),
  );
  const found: string[] = [];
  for (const folder of [...folders].sort().slice(0, MAX_EXAMPLES)) {
    if (found.some((outer) => isBelow(folder, outer))) continue;
    const made = planFolder(folder);
    if (made !== null && !isRefusal(made)) found.push(folder);
  }
  return found;
}

/** Folders of examples that are looked into. */
const MAX_EXAMPLES = 20;

function withSearch(refusal: Refusal, examples: readonly string[]): Refusal {
  const evidence = [...refusal.evidence, { file: '', says: 'no server one or two levels down either' }];
  const [first] = examples;
  if (first === undefined) return { ...refusal, evidence };
  const hint = `Its examples hold a server: try --subdir ${first}. For one of its own, ${lowerFirst(refusal.hint)}`;
  return { ...refusal, hint, evidence: [...evidence, ...examples.map((file) => ({ file, says: 'is an example' }))] };
}

const lowerFirst = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);
