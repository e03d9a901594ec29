/** Servers below a root that is none itself: members of its workspace, or folders up to four levels down. */

import { sourceName, unscoped } from './identity.ts';
import { javaModules } from './java/modules.ts';
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
  const lookInto = (folders: readonly string[], wanted: readonly LaunchPlan['confidence'][]) => {
    for (const folder of folders) {
      // A package inside another one is a part of it.
      if (plans.some(({ projectDir }) => isBelow(folder, projectDir))) continue;
      const made = planFolder(folder);
      if (made === null) continue;
      if (!isRefusal(made)) {
        if (wanted.includes(made.confidence)) plans.push(made);
      } else if (made.code === 'DETECT_BAD_MANIFEST') broken.push(made);
    }
  };
  // What is known to belong to a platform is not made a program by a file that looks like one.
  const any = refusal.code === 'DETECT_NOT_A_SERVER';
  lookInto(foldersBelow(view, dir, 1), any ? ['high', 'medium', 'low'] : ['high', 'medium']);
  // Catalogues sort their servers by language and kind.
  if (plans.length === 0) lookInto(foldersBelow(view, dir, 3), ['high']);
  const sure = plans.filter(({ confidence }) => confidence !== 'low');
  const surest = plans.filter(({ confidence }) => confidence === 'high');
  const [group = []] = [surest, sure, plans].filter((each) => each.length > 0);
  const [only, ...more] = group;
  if (only === undefined) return broken[0] ?? withSearch(refusal, examplesBelow(view, dir, planFolder));
  const registered = group.find(({ projectDir }) => projectDir === registrySubfolder(view)) ?? null;
  const chosen = more.length === 0 ? only : (registered ?? namedLike(sourceName(spec.source), group) ?? named(group));
  if (chosen !== null) {
    const says =
      more.length === 0
        ? 'is the only server below'
        : chosen === registered
          ? 'is the folder that server.json names'
          : chosen === named(group)
            ? 'is the only one with mcp in its name'
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

/** Members of a workspace, and every folder at depths `from` and `from + 1`. */
function foldersBelow(view: FileView, dir: string, from: number): string[] {
  const members = [...(workspaceAt(view, dir)?.members ?? []), ...javaModules(view, dir)];
  const prefix = dir === '' ? '' : `${dir}/`;
  const near = new Set<string>();
  for (const file of view.files) {
    if (!file.startsWith(prefix)) continue;
    const parts = file.slice(prefix.length).split('/').slice(0, -1);
    for (let depth = from; depth <= Math.min(from + 1, parts.length); depth++)
      near.add(prefix + parts.slice(0, depth).join('/'));
  }
  const all = [...new Set([...members, ...near])].filter(
    (folder) =>
      !relative(dir, folder)
        .split('/')
        .some((part) => ASIDE.test(part)),
  );
  return all.sort((a, b) => a.split('/').length - b.split('/').length || (a < b ? -1 : 1));
}

/** Beside a back end and a front end; null unless exactly one is. */
function named(plans: readonly LaunchPlan[]): LaunchPlan | null {
  const found = plans.filter(({ projectDir }) => /(^|[-_.])mcp([-_.]|$)/i.test(basename(projectDir)));
  return found.length === 1 ? (found[0] ?? null) : null;
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
  const evidence = [...refusal.evidence, { file: '', says: 'no server in the folders below either' }];
  const [first] = examples;
  if (first === undefined) return { ...refusal, evidence };
  const hint = `Its examples hold a server: try --subdir ${first}. For one of its own, ${lowerFirst(refusal.hint)}`;
  return { ...refusal, hint, evidence: [...evidence, ...examples.map((file) => ({ file, says: 'is an example' }))] };
}

const lowerFirst = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);
