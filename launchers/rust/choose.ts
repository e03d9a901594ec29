/** Which program of a Cargo project is the server. */

import { byIdentity, isHelper } from '../identity.ts';
import type { Evidence, FileView, PassedOver } from '../plan.ts';
import { sourceFiles } from '../settings.ts';
import { type CargoBin, type CargoPackage, isAside, isSdk, servesHttp } from './manifest.ts';
import type { CargoProject } from './workspace.ts';

export interface Program {
  readonly package: CargoPackage;
  readonly bin: CargoBin;
}

/** How sure it is that a package serves: it declares an SDK, uses a package that does, speaks MCP by hand, serves HTTP. */
export type Standing = 'sdk' | 'sdk-below' | 'by-hand' | 'http' | 'none';

export interface Choice {
  /** null: there is none, or several equal ones. */
  readonly program: Program | null;
  readonly standing: Standing;
  /** Equal ones when nothing tells them apart. */
  readonly equals: readonly Program[];
  readonly evidence: readonly Evidence[];
  readonly passedOver: readonly PassedOver[];
}

const ORDER: readonly Standing[] = ['sdk', 'sdk-below', 'by-hand', 'http', 'none'];

/**
 * Among the programs of the packages that are surest to serve: the only one, what `cargo run` runs, the one that is named
 * like the repository or for what it does. Names of several equal ones are left to the caller.
 */
export function chooseProgram(
  view: FileView,
  dir: string,
  project: CargoProject,
  identities: readonly string[],
): Choice {
  const standings = new Map(project.packages.map((each) => [each, standingOf(view, each, project)]));
  const all = project.packages.flatMap((each) => each.bins.map((bin): Program => ({ package: each, bin })));
  const runnable = all.filter(({ bin }) => bin.path !== null);
  const isMain = (each: Program) => each.package.dir === dir || !isAside(dir, each.package.dir);
  const main = runnable.some(isMain) ? runnable.filter(isMain) : runnable;
  const standing = ORDER.find((each) => main.some((program) => standings.get(program.package) === each)) ?? 'none';
  const surest = main.filter((program) => standings.get(program.package) === standing);
  const { left, says } = narrow(view, surest, project, identities);
  const [first, ...more] = left;
  const program = more.length === 0 ? (first ?? null) : null;
  return {
    program,
    standing,
    equals: more.length === 0 ? [] : left,
    evidence: program === null ? [] : [evidenceOf(program, says)],
    passedOver: program === null ? [] : all.flatMap((each) => passOver(each, program, standings)),
  };
}

function evidenceOf({ package: { file, name }, bin }: Program, says: string): Evidence {
  return { file, says: `the program ${bin.name} of the package ${name}${says === '' ? '' : `, ${says}`}` };
}

function passOver(each: Program, taken: Program, standings: ReadonlyMap<CargoPackage, Standing>): PassedOver[] {
  if (each.package === taken.package && each.bin.name === taken.bin.name) return [];
  const standing = standings.get(each.package) ?? 'none';
  const why =
    each.bin.path === null
      ? 'its file is not there'
      : ORDER.indexOf(standing) > ORDER.indexOf(standings.get(taken.package) ?? 'none')
        ? 'says less of MCP'
        : `is named less like a server than ${taken.bin.name}`;
  return [{ file: each.package.file, what: `bin: ${each.bin.name}`, why }];
}

/** Each rule is asked only while several are left, and counts only when it leaves some. */
function narrow(
  view: FileView,
  programs: readonly Program[],
  project: CargoProject,
  identities: readonly string[],
): { readonly left: readonly Program[]; readonly says: string } {
  const text = ({ bin }: Program) => view.read(bin.path ?? '') ?? '';
  const rules: readonly (readonly [says: string, keep: (each: Program) => boolean])[] = [
    // Of one program per transport the one for stdio; their names say so.
    ['which is the one for stdio', ({ bin }) => /std_?io/i.test(bin.name)],
    ['which `cargo run` runs', (each) => each.package.defaultRun === each.bin.name && isOnlyPackage(each, programs)],
    ['which is named like the project', (each) => each === mostAlike(programs, identities)],
    ['which is among the default members', (each) => project.defaultMembers.includes(each.package.dir)],
    ['whose main file speaks of MCP', (each) => /\b\w*mcp\w*\b|tools\/list|\bstdio\(\)/i.test(text(each))],
    ['which is no helper', ({ bin }) => !isHelper(bin.name, identities)],
  ];
  let left = programs;
  let last = '';
  for (const [says, keep] of rules) {
    if (left.length < 2) break;
    const kept = left.filter(keep);
    if (kept.length > 0 && kept.length < left.length) [left, last] = [kept, says];
  }
  return { left, says: left.length === 1 ? last : '' };
}

const isOnlyPackage = (each: Program, all: readonly Program[]): boolean =>
  all.every((other) => other.package === each.package);

/** By name alone; null when the order in which they are asked about decides. */
function mostAlike(programs: readonly Program[], identities: readonly string[]): Program | null {
  const own = programs.map((each) => each.package.name);
  // A package's own name only tells its programs apart.
  const names = [...identities, ...(new Set(own).size === 1 ? own : [])];
  const label = ({ bin }: Program) => bin.name;
  const [first] = byIdentity(programs.map(label), names);
  const [last] = byIdentity(programs.map(label).reverse(), names);
  const alike = programs.filter((each) => label(each) === first);
  return first === last && alike.length === 1 ? (alike[0] ?? null) : null;
}

function standingOf(view: FileView, each: CargoPackage, project: CargoProject): Standing {
  if (each.dependencies.some(isSdk)) return 'sdk';
  if (below(each, project).some(({ dependencies }) => dependencies.some(isSdk))) return 'sdk-below';
  const speaks = [each, ...below(each, project)].some(({ dir }) =>
    sourceFiles(view, dir).some((file) => file.endsWith('.rs') && /["']tools\/list["']/.test(view.read(file) ?? '')),
  );
  return speaks ? 'by-hand' : servesHttp(each) ? 'http' : 'none';
}

/** Packages of the project that it depends on, at any depth. */
function below(each: CargoPackage, { packages }: CargoProject): CargoPackage[] {
  const found = new Set<CargoPackage>();
  const visit = ({ dependencies }: CargoPackage): void => {
    for (const { path } of dependencies) {
      const next = packages.find(({ dir }) => path !== null && dir === path);
      if (next === undefined || next === each || found.has(next)) continue;
      found.add(next);
      visit(next);
    }
  };
  visit(each);
  return [...found];
}
