/** Node packages (JavaScript and TypeScript) with npm, pnpm, Yarn or Bun. */

import semver from 'semver';
import { createBasePlan } from './base-plan.ts';
import { findEventStream } from './event-stream.ts';
import { sourceName } from './identity.ts';
import { buildSteps, otherwise } from './node/build.ts';
import { findEntries, type NodeEntries } from './node/entries.ts';
import { explainNode } from './node/explain.ts';
import { createInstaller } from './node/install.ts';
import { chooseManager } from './node/manager.ts';
import { dispensable, hasDownloads } from './node/manifests.ts';
import { nativeDependencies } from './node/native.ts';
import { newerNode } from './node/node-version.ts';
import { isForNpm, isSdk, type PackageJson, sdkOf, toPackageJson } from './node/package-json.ts';
import { whyNoProgram } from './node/platform.ts';
import { findBuilt } from './node/resolve.ts';
import { needsInstall, toolsOfScripts } from './node/scripts.ts';
import { looksLikeServer } from './node/source.ts';
import { rebuilds } from './node/stale.ts';
import { packageAt, type Workspace, workspaceAround, workspaceAt } from './node/workspace.ts';
import { asFields, asString, readManifest } from './parse.ts';
import { basename, join } from './paths.ts';
import type { Evidence, FileView, Launcher, LaunchPlan, PluginSpec, Refusal, Tool } from './plan.ts';
import { notAServer } from './refusal.ts';
import { findPortVariables, findSettings } from './settings.ts';

/** Without a package.json only these say that a folder is a program. */
const BARE = ['server', 'app', 'main', 'index'].flatMap((name) => [`${name}.js`, `${name}.mjs`, `${name}.cjs`]);

export function createNodeLauncher(): Launcher {
  return {
    id: 'node',
    detect: (view, dir) =>
      view.files.includes(join(dir, 'package.json')) || BARE.some((file) => looksLikeServer(readAt(view, dir, file))),
    plan: planNode,
    resolve: findBuilt,
    explain: explainNode,
  };
}

const readAt = (view: FileView, dir: string, file: string): string | undefined =>
  view.files.includes(join(dir, file)) ? view.read(join(dir, file)) : undefined;

function planNode(view: FileView, dir: string, spec: PluginSpec): LaunchPlan | Refusal {
  const file = join(dir, 'package.json');
  const parsed = readManifest(view, file);
  if (parsed !== null && !parsed.ok) return parsed.refusal;
  const manifest = parsed === null ? null : toPackageJson(parsed.fields);
  const identities = [manifest?.name ?? '', sourceName(spec.source), basename(dir)];
  const entries = findEntries(view, dir, manifest, identities);
  const isProgram = entries.best !== null && !(manifest !== null && isForOthers(manifest));
  if (!isProgram && spec.overrides.command === undefined) return refuse(view, dir, file, manifest);

  const workspace = manifest === null ? null : workspaceAround(view, dir);
  const base = createBasePlan('node', 'node', dir);
  const common = {
    start: entries.candidates,
    wants: findSettings(view, dir),
    port: { ...base.port, env: [...new Set([...base.port.env, ...findPortVariables(view, dir)])] },
    endpoint: findEventStream(view, dir, entries.candidates),
    passedOver: entries.passedOver,
    confidence: confidenceOf(manifest, entries, workspace !== null),
  };
  const node: Tool = { name: 'node', version: manifest === null ? null : enginesOf(manifest) };
  const bun: Tool[] = entries.candidates.some(({ command }) => command.program === 'bun')
    ? [{ name: 'bun', version: null }]
    : [];
  if (manifest === null) {
    return { ...base, ...common, tools: merge([node, ...bun]), evidence: entries.evidence };
  }

  const root = workspace?.root ?? dir;
  const manager = chooseManager(view, root, workspace?.rootPackage ?? manifest);
  const around = workspace ?? workspaceAt(view, dir);
  const packages = packagesOf(view, dir, manifest, around);
  const installer = createInstaller(manager, root, {
    // Somebody else's may stand above it, in the repository or in the user's home.
    ignoreWorkspace: workspace === null && !view.files.includes(join(root, 'pnpm-workspace.yaml')),
    npmCanRead: [...packages.values()].every(isForNpm),
    downloads: hasDownloads(view, manager, [...packages.values()]),
    locksGit: manager.lock !== null && /"resolved": "git\+/.test(view.read(manager.lock) ?? ''),
    namesRegistry: /^\s*registry\s*=/m.test(view.read(join(root, '.npmrc')) ?? ''),
    native: nativeDependencies(view, root, [...packages.values()]),
    dispensable: dispensable(packages),
    allowScripts: spec.overrides.allowScripts,
    focus: workspace === null || manifest.name === '' ? [] : focusOn(manifest, workspace.rootPackage),
  });
  const build = buildSteps(view, { dir, manifest, workspace }, manager, installer);
  const install = around !== null || needsInstall(manifest) ? installer.rungs : [];
  const installTools = install.length > 0 || build.length > 0 ? installer.tools : [];
  const sdk = sdkOf(manifest);
  const evidence: Evidence[] = [
    ...entries.evidence,
    ...(sdk === null ? [] : [{ file, says: `depends on ${sdk}` }]),
    ...(install.length > 0 ? [manager.evidence] : []),
    ...(workspace === null ? [] : [{ file: workspace.file, says: `${dir} is a member of this workspace` }]),
    ...(node.version === null ? [] : [{ file, says: `wants Node ${node.version}` }]),
  ];
  return {
    ...base,
    ...common,
    tools: merge([node, ...installTools, ...bun, ...toolsOfScripts(view, dir, manifest)]),
    ...newerNode(view, dir, root, node.version),
    install,
    build,
    ...(build.length > 0 ? { buildOtherwise: otherwise(view, { dir, manifest, workspace }) } : {}),
    ...(build.length > 0 ? rebuilds(view, dir, entries.candidates, manifest.scripts.build) : {}),
    evidence,
  };
}

/** A library to write servers with, or a part of an editor: what looks like a program in it is none. */
const isForOthers = ({ name, bin, fields }: PackageJson): boolean =>
  isSdk(name) || (bin.size === 0 && 'vscode' in asFields(fields.engines));

/** All manifests that the install reads, by folder. */
function packagesOf(
  view: FileView,
  dir: string,
  manifest: PackageJson,
  workspace: Workspace | null,
): ReadonlyMap<string, PackageJson> {
  const packages = new Map<string, PackageJson>();
  if (workspace?.rootPackage) packages.set(workspace.root, workspace.rootPackage);
  for (const member of workspace?.members ?? []) {
    const each = packageAt(view, member);
    if (each !== null) packages.set(member, each);
  }
  return packages.set(dir, manifest);
}

/** The member with all that it depends on, and the root, which has the tools of all builds. */
const focusOn = ({ name }: PackageJson, root: PackageJson | null): string[] => [
  `${name}...`,
  ...(root === null || root.name === '' ? [] : [root.name]),
];

function confidenceOf(
  manifest: PackageJson | null,
  { best, evidence }: NodeEntries,
  isMember: boolean,
): LaunchPlan['confidence'] {
  const usesSdk = manifest !== null && sdkOf(manifest) !== null;
  // A member that is not published is a helper of those that are.
  const isPublished = !(isMember && manifest?.isPrivate);
  if (usesSdk) return isPublished && (best === 'bin' || best === 'start') ? 'high' : 'medium';
  return best === 'start' || (best === 'file' && evidence.length > 0) ? 'medium' : 'low';
}

/** `engines.node` when it is a range that semver knows; prose takes any. */
const enginesOf = ({ fields }: PackageJson): string | null => {
  const range = asString(asFields(fields.engines).node);
  return range !== null && semver.validRange(range) !== null && range.trim() !== '*' ? range : null;
};

/** One of each name; a version beats none. */
function merge(tools: readonly Tool[]): Tool[] {
  const merged = new Map<string, Tool>();
  for (const tool of tools)
    if (!merged.has(tool.name) || merged.get(tool.name)?.version === null) merged.set(tool.name, tool);
  return [...merged.values()];
}

function refuse(view: FileView, dir: string, file: string, manifest: PackageJson | null): Refusal {
  const reason = manifest === null ? null : whyNoProgram(view, dir, manifest);
  if (reason !== null) return reason;
  const workspace = workspaceAt(view, dir);
  const members = workspace?.members.length ?? 0;
  const says = [
    manifest === null ? 'no package.json' : 'no bin',
    ...(manifest === null
      ? []
      : [
          manifest.scripts.start === undefined
            ? 'no start script'
            : `start is \`${manifest.scripts.start}\`, which is not one plain node, bun or tsx command`,
          manifest.main === null ? 'no main' : `main ${manifest.main} is a library’s`,
        ]),
    'no server, index, app or main file that serves',
    ...(workspace === null ? [] : [`a workspace of ${members} ${members === 1 ? 'member' : 'members'}`]),
  ];
  return notAServer(
    `${manifest?.name || dir || 'This folder'} is a Node package, but nothing in it says how to start a server.`,
    says.map((each) => ({ file, says: each })),
  );
}
