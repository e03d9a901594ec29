/** Which of several .NET projects is the server. */

import { byIdentity } from '../identity.ts';
import { basename, dirname, withoutExtension } from '../paths.ts';
import type { FileView, Refusal } from '../plan.ts';
import { sourceFiles } from '../settings.ts';
import { type DotnetProject, PROJECT, projectsOfSolution, readDotnetProject } from './project.ts';

export const SOLUTION = /\.slnx?$/;

export const filesIn = (view: FileView, dir: string): string[] => view.files.filter((file) => dirname(file) === dir);

/** Projects of the folder itself, else of its solution. */
export function candidatesIn(view: FileView, dir: string): (DotnetProject | Refusal)[] {
  const here = filesIn(view, dir);
  const own = here.filter((file) => PROJECT.test(file));
  const files =
    own.length > 0 ? own : here.filter((file) => SOLUTION.test(file)).flatMap((file) => projectsOfSolution(view, file));
  return [...new Set(files)].map((file) => readDotnetProject(view, file));
}

/** Folders of samples and hosts of other things; taken only when nothing else is left. */
const ASIDE =
  /(^|\/)(samples?|examples?|demos?|benchmarks?|tools?|playground)(\/|$)|AppHost|\.Client(\.|$)|Client\.csproj$/i;

export const withoutAside = (some: readonly DotnetProject[]): readonly DotnetProject[] => {
  const inside = some.filter(({ file, isMcpServer }) => isMcpServer || !ASIDE.test(file));
  return inside.length > 0 ? inside : some;
};

/** Its sources make a server; the same packages are for clients too. */
export const serves = (view: FileView, { dir }: DotnetProject): boolean =>
  sourceFiles(view, dir).some((file) =>
    /\bAddMcpServer\b|\bMcpServer(Tool|Prompt|Resource|Factory|Options)?\b|StdioServerTransport|"tools\/list"/.test(
      view.read(file) ?? '',
    ),
  );

export function chooseFrom(some: readonly DotnetProject[], identities: readonly string[]): DotnetProject | undefined {
  const left = withoutAside(some);
  const marked = left.filter(({ isMcpServer }) => isMcpServer);
  const tools = left.filter(({ isTool }) => isTool);
  for (const group of [marked, tools, left]) if (group.length === 1) return group[0];
  // The SDK itself beside web pages that only use it.
  const plain = left.filter(({ packages }) => packages.some((each) => /^ModelContextProtocol(\.|$)/i.test(each)));
  if (plain.length === 1) return plain[0];
  const names = left.map(nameOf);
  const normal = (name: string) => name.toLowerCase().replaceAll(/[-_.]/g, '');
  const named = left.filter((each) =>
    identities.some((identity) => identity !== '' && normal(identity) === normal(nameOf(each))),
  );
  if (named.length === 1) return named[0];
  const [first, second] = byIdentity(names, identities);
  const isServer = (name: string | undefined) => name !== undefined && /mcp[-_.]?server|server$|stdio/i.test(name);
  return isServer(first) && !isServer(second) ? left[names.indexOf(first ?? '')] : undefined;
}

export const nameOf = ({ file }: DotnetProject): string => withoutExtension(basename(file));
