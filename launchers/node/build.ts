/** What builds a Node package: its build script, else one that does the same under another name, else the compiler. */

import { join, relative } from '../paths.ts';
import type { Command, FileView } from '../plan.ts';
import type { Installer } from './install.ts';
import type { Manager } from './manager.ts';
import type { PackageJson } from './package-json.ts';
import { outDirOf } from './source.ts';
import { buildOrder, packageAt, type Workspace } from './workspace.ts';

const ALIKE = [
  'prepare',
  'prepack',
  'compile',
  'bundle',
  'tsc',
  'build:prod',
  'build:server',
  'build:node',
  'prepublishOnly',
  'prepublish',
];

/** Scripts of those names that only set up git hooks or checks. */
const NO_BUILD =
  /^\s*(npx\s+)?(husky(\s+install)?|simple-git-hooks|lefthook(\s+install)?|patch-package|is-ci.*|echo.*|exit 0|true|(npm|pnpm|yarn|bun) (run )?(test|lint)\S*)(\s*\|\|\s*(true|exit 0))?\s*$/;

const isBuild = (script: string | undefined): boolean => script !== undefined && !NO_BUILD.test(script);

/** Name of the script that builds a package, null when none does. */
function buildScriptOf({ scripts }: PackageJson): string | null {
  // An empty or commented-out build script means: nothing to build.
  if ('build' in scripts) return isBuild(scripts.build) ? 'build' : null;
  return (
    ALIKE.find((name) => isBuild(scripts[name])) ?? Object.keys(scripts).find((name) => /^build[:-]/.test(name)) ?? null
  );
}

interface Project {
  readonly dir: string;
  readonly manifest: PackageJson;
  readonly workspace: Workspace | null;
}

export function buildSteps(view: FileView, project: Project, manager: Manager, installer: Installer): Command[] {
  const { dir, manifest, workspace } = project;
  const script = buildScriptOf(manifest);
  if (workspace !== null) return memberSteps(view, dir, workspace, manager, installer);
  if (script !== null) return [installer.run(script, dir)];
  return compilerSteps(view, dir, manifest);
}

/**
 * The bare compiler, for a build script that fails at something else (a linter, a program that is not here, type errors
 * that a setting makes fatal). None where the build is nothing else, or where the sources are bundled.
 */
export function otherwise(view: FileView, project: Project): Command[] {
  const { dir, manifest, workspace } = project;
  const script = buildScriptOf(manifest);
  const hasCompiler = manifest.dependencies.has('typescript') || workspace?.rootPackage?.dependencies.has('typescript');
  if (script === null || hasCompiler !== true || outDirOf(view, dir) === null) return [];
  const options = ['--noEmit', 'false', '--noEmitOnError', 'false', '--skipLibCheck'];
  return [{ program: 'tsc', args: ['-p', '.', ...options], cwd: dir }];
}

/** `tsc` stands in node_modules/.bin, which goes first on an installer's PATH. */
const compilerSteps = (view: FileView, dir: string, manifest: PackageJson): Command[] =>
  view.files.includes(join(dir, 'tsconfig.json')) && manifest.dependencies.has('typescript')
    ? [{ program: 'tsc', args: ['-p', '.'], cwd: dir }]
    : [];

/** The member after the members that it depends on. */
function memberSteps(
  view: FileView,
  dir: string,
  workspace: Workspace,
  manager: Manager,
  installer: Installer,
): Command[] {
  const order = buildOrder(view, workspace, dir);
  const scripts = order.flatMap((member) => {
    const manifest = packageAt(view, member);
    const script = manifest && buildScriptOf(manifest);
    return manifest && script ? [{ member, manifest, script }] : [];
  });
  const own = scripts.find(({ member }) => member === dir);
  if (own === undefined) {
    const rootScript = workspace.rootPackage && buildScriptOf(workspace.rootPackage);
    if (rootScript === 'build') return [installer.run(rootScript, workspace.root)];
    const manifest = packageAt(view, dir);
    return manifest === null ? [] : compilerSteps(view, dir, manifest);
  }
  const pathOf = (member: string) => relative(workspace.root, member);
  switch (manager.name) {
    case 'npm':
      return scripts.map(({ member, script }) => installer.command(['run', script, `--workspace=${pathOf(member)}`]));
    case 'pnpm':
      // `name...` is the member and all that it depends on, in order.
      return [installer.command(['--filter', `${own.manifest.name || `./${pathOf(dir)}`}...`, 'run', own.script])];
    default:
      return scripts.map(({ member, script }) => installer.run(script, member));
  }
}
