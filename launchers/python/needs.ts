/** What a server's source needs of its dependencies that its lists don't say: an extra, an older major, a package. */

import type { Evidence } from '../plan.ts';
import { distributionOf, mayProvide } from './distributions.ts';
import { readImports } from './imports.ts';
import { lineOf } from './lines.ts';
import { logFolders } from './log-folders.ts';
import { nameOf, specifierOf } from './names.ts';
import type { PythonProject } from './project.ts';
import type { Tree } from './tree.ts';

export interface Needs {
  readonly extras: readonly string[];
  readonly groups: readonly string[];
  /** Requirements that narrow what is declared (`mcp<2`). */
  readonly bounds: readonly string[];
  /** Distributions of modules that are imported and not declared, as far as they are common knowledge. */
  readonly undeclared: readonly string[];
  /** Folders below the project's that have to be there. */
  readonly folders: readonly string[];
  /** Said only where no lock answers instead. */
  readonly unlocked: readonly Evidence[];
  readonly evidence: readonly Evidence[];
}

export const NO_NEEDS: Needs = {
  extras: [],
  groups: [],
  bounds: [],
  undeclared: [],
  folders: [],
  unlocked: [],
  evidence: [],
};

/** `source` is the file that is started, or null when only installing tells. */
export function findNeeds(
  view: Tree,
  roots: readonly string[],
  project: PythonProject,
  dir: string,
  source: string | null,
  more: readonly string[],
): Needs {
  if (source === null) return NO_NEEDS;
  const { others, files } = readImports(view, roots, source);
  const declared = [...project.requirements, ...more];
  const names = declared.map(nameOf);
  const extras = new Set<string>();
  const groups = new Set<string>();
  const undeclared: string[] = [];
  const evidence: Evidence[] = [];
  const unlocked: Evidence[] = [];
  for (const [module, place] of others) {
    if (names.some((name) => mayProvide(name, module))) continue;
    const extra = holderOf(project.extras, module);
    const group = extra === null ? holderOf(project.groups, module) : null;
    if (extra !== null || group !== null) {
      (extra === null ? groups : extras).add(extra ?? group ?? '');
      evidence.push({
        ...place,
        says: `imports ${module}, which the ${extra === null ? 'group' : 'extra'} ${extra ?? group} brings`,
      });
      continue;
    }
    const distribution = distributionOf(module);
    if (distribution === null) continue;
    undeclared.push(distribution);
    unlocked.push({ ...place, says: `imports ${module}, which is not declared: ${distribution} is installed as well` });
  }
  const folders = logFolders(view, dir, files);
  const bounds = boundsOf(view, files, declared);
  return {
    extras: [...extras],
    groups: [...groups],
    bounds: bounds.map(({ bound }) => bound),
    // Extras bring their own.
    undeclared: [...new Set(undeclared)],
    folders: [...new Set(folders.map(({ path }) => path))],
    unlocked: [...bounds.map((each) => each.evidence), ...unlocked],
    evidence: [...evidence, ...folders.map((each) => each.evidence)],
  };
}

/** Extras that stand for a job of their own, before those that bring everything. */
const holderOf = (lists: Readonly<Record<string, readonly string[]>>, module: string): string | null => {
  const holders = Object.entries(lists)
    .filter(
      ([name, lines]) =>
        !/^(dev|tests?|docs?|lint|all|full|complete|everything)/.test(name) &&
        lines.some((line) => mayProvide(nameOf(line), module)),
    )
    .sort(([, a], [, b]) => a.length - b.length);
  const all = Object.entries(lists).find(([, lines]) => lines.some((line) => mayProvide(nameOf(line), module)));
  return holders[0]?.[0] ?? all?.[0] ?? null;
};

interface Break {
  readonly distribution: string;
  /** The first release that no longer has it. */
  readonly below: string;
  readonly pattern: RegExp;
  readonly what: (found: string) => string;
}

/** Releases that took away what sources of before use, the oldest of a distribution first; tried with each of them. */
const BREAKS: readonly Break[] = [
  {
    distribution: 'mcp',
    below: '2',
    pattern: /^(?:from|import) (mcp\.server\.fastmcp)\b/m,
    what: (found) => `imports ${found}`,
  },
  {
    distribution: 'mcp',
    below: '2',
    pattern:
      /^[ \t]*@\w+\.((?:list_tools|call_tool|list_resources|read_resource|list_prompts|get_prompt|list_resource_templates|progress_notification)\(\))[ \t]*$/m,
    what: (found) => `uses the decorator ${found}`,
  },
  {
    distribution: 'fastmcp',
    below: '2.14',
    pattern: argumentOfFastMcp('dependencies', 'resource_prefix_format'),
    what: (found) => `gives FastMCP \`${found}\``,
  },
  {
    distribution: 'fastmcp',
    below: '3',
    pattern: argumentOfFastMcp(
      'log_level',
      'host',
      'port',
      'debug',
      'stateless_http',
      'json_response',
      'sse_path',
      'message_path',
      'streamable_http_path',
      'on_duplicate_tools',
      'on_duplicate_resources',
      'on_duplicate_prompts',
      'include_tags',
      'exclude_tags',
      'tool_serializer',
    ),
    what: (found) => `gives FastMCP \`${found}\``,
  },
];

/** `FastMCP("x", host="…")`, over any number of lines. */
function argumentOfFastMcp(...names: readonly string[]): RegExp {
  return new RegExp(`\\bFastMCP\\((?:[^()]|\\([^()]*\\))*?\\b(${names.join('|')})\\s*=(?!=)`);
}

function boundsOf(view: Tree, files: readonly string[], declared: readonly string[]) {
  return BREAKS.flatMap(({ distribution, below, pattern, what }, at) => {
    const specifier = declared.filter((line) => nameOf(line) === distribution).map(specifierOf);
    // What the authors bounded themselves stays as it is; a URL can't be narrowed.
    if (specifier.some((each) => each === null || /<|==|~=/.test(each) || !isBelow(lowest(each), below))) return [];
    const file = files.find((each) => isOf(distribution, view.read(each) ?? '') && pattern.test(view.read(each) ?? ''));
    if (file === undefined || isRepeated(at, files, view)) return [];
    const found = pattern.exec(view.read(file) ?? '')?.[1] ?? '';
    const bound = `${distribution}<${below}`;
    const says = `${what(found)}, which ${distribution} ${below} no longer has: ${bound} is installed`;
    return [{ bound, evidence: { file, ...lineOf(view, file, pattern), says } }];
  });
}

/** One break of a distribution is enough to bound it. */
const isRepeated = (at: number, files: readonly string[], view: Tree): boolean =>
  BREAKS.slice(0, at).some(
    ({ distribution, pattern }) =>
      distribution === BREAKS[at]?.distribution && files.some((each) => pattern.test(view.read(each) ?? '')),
  );

/** `FastMCP` is the name of two classes, the SDK's and the one of the package of that name. */
const isOf = (distribution: string, text: string): boolean =>
  distribution === 'fastmcp' ? /^(?:from|import) fastmcp\b/m.test(text) : /^\s*(?:from|import) mcp\b/m.test(text);

const lowest = (specifier: string): string => />=?(\d+(?:\.\d+)*)/.exec(specifier)?.[1] ?? '0';

/** By number: `2.9` is below `2.14`. */
function isBelow(version: string, other: string): boolean {
  const [a, b] = [version, other].map((each) => each.split('.').map(Number)) as [number[], number[]];
  for (let at = 0; at < Math.max(a.length, b.length); at++) {
    if ((a[at] ?? 0) !== (b[at] ?? 0)) return (a[at] ?? 0) < (b[at] ?? 0);
  }
  return false;
}
