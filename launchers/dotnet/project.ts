/** A .csproj (.fsproj, .vbproj) with what `Directory.Build.props` above it adds. */

import { basename, dirname, extname, join, upwards, withoutExtension } from '../paths.ts';
import type { FileView, Refusal } from '../plan.ts';
import { badManifest } from '../refusal.ts';
import { descendantsOf, parseXml, type XmlElement } from '../xml.ts';

export interface DotnetProject {
  readonly file: string;
  readonly dir: string;
  /** What the compiled program is called, without `.dll`. */
  readonly assemblyName: string;
  /** e.g. `Microsoft.NET.Sdk.Web`. */
  readonly sdk: string;
  /** Makes a program rather than a library. */
  readonly isProgram: boolean;
  readonly isTest: boolean;
  /** Starts other projects, as Aspire's hosts do. */
  readonly isHost: boolean;
  /** e.g. `net8.0`, `net10.0-windows`, in the order of the file. */
  readonly frameworks: readonly string[];
  readonly packages: readonly string[];
  /** `PackageType` McpServer or `PackAsTool`: published to be run by others. */
  readonly isTool: boolean;
  readonly isMcpServer: boolean;
}

const TESTING = /^(Microsoft\.NET\.Test\.Sdk|xunit|NUnit|MSTest)/i;
const isMcp = (name: string): boolean => /^ModelContextProtocol(\.|$)|(^|\.)Mcp(\.|$|Server)/i.test(name);

export const PROJECT = /\.(cs|fs|vb)proj$/;

export function readDotnetProject(view: FileView, file: string): DotnetProject | Refusal {
  const text = view.read(file);
  if (text === undefined) return badManifest(file, 'is too large or not readable');
  const parsed = parseXml(text);
  if (!parsed.ok) return badManifest(`${file}:${parsed.line}`, `is not valid XML: ${parsed.problem}`);
  const { root } = parsed;
  const dir = dirname(file);
  const shared = sharedProps(view, dir);
  const name = withoutExtension(basename(file));
  const own = (property: string) => lastOf(root, property);
  const property = (wanted: string) =>
    own(wanted) ?? shared.map((props) => lastOf(props, wanted)).find((each) => each !== null) ?? null;
  const fill = (value: string) => value.replaceAll(/\$\((MSBuildProjectName|RootNamespace)\)/g, name);
  const sdk = root.attributes.Sdk ?? descendantsOf(root, 'Sdk')[0]?.attributes.Name ?? '';
  const packages = descendantsOf(root, 'PackageReference').flatMap(({ attributes }) => attributes.Include ?? []);
  const output = (property('OutputType') ?? '').toLowerCase();
  const frameworks = (property('TargetFrameworks') ?? property('TargetFramework') ?? '')
    .split(';')
    .map((each) => each.trim())
    .filter((each) => each !== '' && !each.startsWith('$('));
  const assembly = fill(property('AssemblyName') ?? name);
  const isTool = property('PackAsTool')?.toLowerCase() === 'true';
  const isMcpServer = /(^|;)\s*McpServer\s*(;|$)/i.test(property('PackageType') ?? '');
  return {
    file,
    dir,
    assemblyName: assembly.includes('$(') ? name : assembly,
    sdk,
    isProgram:
      output === 'exe' ||
      output === 'winexe' ||
      (output !== 'library' && /^Microsoft\.NET\.Sdk\.(Web|Worker|Razor)$/i.test(sdk)),
    isTest:
      property('IsTestProject') === 'true' ||
      // Some keep a few tests in the program itself.
      (!isTool && !isMcpServer && !packages.some(isMcp) && packages.some((each) => TESTING.test(each))) ||
      /(^|[._-])(Unit|Integration)?Tests?$/i.test(name),
    isHost:
      packages.some((each) => /^Aspire\.Hosting(\.AppHost)?$/i.test(each)) ||
      descendantsOf(root, 'Sdk').some(({ attributes }) => /^Aspire\./i.test(attributes.Name ?? '')) ||
      /^Aspire\.AppHost/i.test(sdk),
    frameworks,
    packages,
    isTool,
    isMcpServer,
  };
}

/** MSBuild takes the nearest one; it most often imports the one above it. */
function sharedProps(view: FileView, dir: string): XmlElement[] {
  return upwards(dir).flatMap((folder) => {
    const parsed = parseXml(view.read(join(folder, 'Directory.Build.props')) ?? '');
    return parsed.ok ? [parsed.root] : [];
  });
}

/** MSBuild's properties are overwritten by later ones; what depends on a condition counts when nothing else is there. */
function lastOf(root: XmlElement, name: string): string | null {
  const groups = root.children.filter((child) => child.name === 'PropertyGroup');
  const values = groups.flatMap((group) =>
    group.children
      .filter((child) => child.name === name && child.text !== '')
      .map((child) => ({
        text: child.text,
        sure: group.attributes.Condition === undefined && child.attributes.Condition === undefined,
      })),
  );
  return (values.findLast(({ sure }) => sure) ?? values.at(-1))?.text ?? null;
}

/** `net8.0` → 8, `net10.0-windows` → 10; null for .NET Framework, .NET Standard and what MSBuild computes. */
export const releaseOf = (framework: string): number | null => {
  const release = /^net(\d+)\.\d/.exec(framework)?.[1] ?? /^netcoreapp(\d)\./.exec(framework)?.[1];
  return release === undefined || Number(release) < 2 ? null : Number(release);
};

/** Runs where no Windows, no phone and no browser is. */
export const isPortable = (framework: string): boolean =>
  releaseOf(framework) !== null && !/-(windows|android|ios|maccatalyst|tizen|browser)/.test(framework);

export const speaksMcp = ({ packages, isMcpServer }: DotnetProject): boolean => isMcpServer || packages.some(isMcp);

/** Project files that a solution names, below the tree. */
export function projectsOfSolution(view: FileView, file: string): string[] {
  const text = view.read(file) ?? '';
  const paths =
    extname(file) === '.slnx'
      ? [...text.matchAll(/<Project\b[^>]*?\bPath\s*=\s*"([^"]+)"/g)].map((match) => match[1] ?? '')
      : [...text.matchAll(/^Project\([^)]*\)\s*=\s*"[^"]*",\s*"([^"]+)"/gm)].map((match) => match[1] ?? '');
  return paths
    .map((path) => join(dirname(file), path.replaceAll('\\', '/')))
    .filter((path) => PROJECT.test(path) && view.files.includes(path));
}
