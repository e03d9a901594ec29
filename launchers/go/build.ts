/** How a Go program is built: one ladder, because what breaks a build decides how the next one is done. */

import { createInstaller, type InstallOptions } from '../node/install.ts';
import { chooseManager } from '../node/manager.ts';
import { toPackageJson } from '../node/package-json.ts';
import { readManifest } from '../parse.ts';
import { join, relative } from '../paths.ts';
import type { Command, Evidence, FileView, Rung, Tool } from '../plan.ts';
import { type MissingEmbed, missingEmbeds, pageBuilders, placeholders } from './embeds.ts';
import { type GoModule, inWorkspace, packageArgument } from './module.ts';
import type { Closure } from './source.ts';

export interface GoBuild {
  readonly rungs: readonly Rung[];
  readonly tools: readonly Tool[];
  readonly evidence: readonly Evidence[];
}

export interface ToBuild {
  /** Folder that is planned. */
  readonly root: string;
  readonly module: GoModule | null;
  /** Folder of the program. */
  readonly program: string;
  readonly closure: Closure;
  /** Where the program goes, below the tree. */
  readonly out: string;
  /** Import path for a project without a go.mod. */
  readonly importPath: string;
}

/** From 1.21 on, a Go fetches the exact one that a module asks for through the module proxy. */
const GO: Tool = { name: 'go', version: '>=1.21' };

/** What a C compiler, or doing without one, may cure. */
const COMPILING: Rung['cures'] = ['build-failed', 'missing-program', 'missing-library'];

interface Switches {
  readonly cgo: boolean;
  /** May add to go.mod and go.sum what they lack, and passes `vendor/` by. */
  readonly mod?: boolean;
  readonly env?: Readonly<Record<string, string>>;
}

export function planBuild(view: FileView, { root, module, program, closure, out, importPath }: ToBuild): GoBuild {
  const cwd = module?.dir ?? root;
  const isMember = inWorkspace(view, cwd);
  const go = (args: readonly string[], env: Readonly<Record<string, string>>): Command => ({
    program: 'go',
    args,
    cwd,
    env,
  });
  const build = ({ cgo, mod = false, env = {} }: Switches): Command => {
    const options = [...(mod ? ['-mod=mod'] : []), '-trimpath', '-ldflags=-s -w', '-o', relative(cwd, out)];
    // A workspace takes no -mod.
    const alone = mod && isMember ? { GOWORK: 'off' } : {};
    return go(['build', ...options, packageArgument(cwd, program)], { CGO_ENABLED: cgo ? '1' : '0', ...alone, ...env });
  };

  const binding = bindingOf(view, module, closure);
  const lock = lockOf(view, module);
  const missing = missingEmbeds(view, closure.files);
  const generator = closure.files.find((file) => GENERATES.test(view.read(file) ?? ''));
  const dotenv = view.files.includes(join(root, '.env'))
    ? undefined
    : closure.files.find((file) => NEEDS_DOTENV.test(view.read(file) ?? ''));
  const pages = buildPages(view, root, missing);
  const base: Switches = { cgo: binding !== null, mod: lock.isMissing };
  const other: Switches = { ...base, cgo: !base.cgo };
  const turned = base.cgo ? 'without-cgo' : 'with-cgo';

  const rungs: Rung[] = [];
  const add = (id: string, cures: Rung['cures'], switches: Switches, before: readonly Command[] = []) => {
    const isFirst = rungs.length === 0;
    const init = isFirst && module === null ? [go(['mod', 'init', importPath], {})] : [];
    const settings = isFirst && dotenv !== undefined ? [{ program: 'touch', args: ['.env'], cwd: root }] : [];
    rungs.push({ id, cures: isFirst ? 'any' : cures, steps: [...init, ...settings, ...before, build(switches)] });
  };
  const generate = go(['generate', './...'], {});
  if (pages.steps.length > 0) add('go-build-with-pages', 'any', base, pages.steps);
  if (missing.length > 0 && generator !== undefined) add('go-generate', 'any', base, [generate]);
  if (missing.length > 0) add('go-build-without-pages', 'any', base, placeholders(missing));
  else add('go-build', 'any', base);
  add(`go-build-${turned}`, COMPILING, other);
  if (!lock.isMissing) {
    add('go-build-mod', ['lock-out-of-date', 'missing-module'], { ...base, mod: true });
    add(`go-build-mod-${turned}`, COMPILING, { ...other, mod: true });
  }
  if (isMember) add('go-build-without-workspace', ['entry-missing'], { ...base, env: { GOWORK: 'off' } });
  // Where the wanted Go can't be had, the one that is here may do: a `toolchain` line is only a wish.
  const local = { ...base, env: { GOTOOLCHAIN: 'local' } };
  add('go-build-local-toolchain', ['engine-mismatch', 'version-not-found', 'network'], local);
  if (missing.length === 0 && generator !== undefined) {
    add('go-generate', ['build-failed', 'missing-module', 'unknown'], base, [generate]);
  }
  return {
    rungs,
    tools: [GO, ...pages.tools],
    evidence: [
      ...(binding === null ? [] : [binding]),
      ...(lock.evidence === null ? [] : [lock.evidence]),
      ...missing.map(({ file, line, path }) => ({ file, line, says: `embeds ${path}, which the repository lacks` })),
      ...(dotenv === undefined ? [] : [{ file: dotenv, says: 'ends without a .env: it gets an empty one' }]),
      ...pages.dirs.map((dir) => ({ file: join(dir, 'package.json'), says: 'builds what is embedded' })),
    ],
  };
}

/** `if err := godotenv.Load(); err != nil { log.Fatal(…) }`: a file that git seldom holds, and whose values come by --env. */
const NEEDS_DOTENV =
  /\bgodotenv\.(?:Load|Overload)\((?:"\.env")?\)[^}]{0,200}?(?:Fatal|panic\(|os\.Exit|return\s+[^\n]*err)/;

const GENERATES = /^\/\/go:generate[ \t]/m;

/** Modules that are bindings to C: without a C compiler they build to nothing, or to a stub that fails at its first call. */
const BINDINGS =
  /\/(go-sqlite3|go-sqlcipher|go-duckdb|duckdb-go|go-tree-sitter|tree-sitter-[\w-]+|confluent-kafka-go|git2go|sqlite-vec-go-bindings|go-kuzu|robotgo|go-libvirt|onnxruntime_go|godror)(\/(?!wasm)\w+)*$/;

/** Why it needs a C compiler; null when nothing says so. */
function bindingOf(view: FileView, module: GoModule | null, { files, imports }: Closure): Evidence | null {
  const own = files.find((file) => /^import\s+"C"|^\s+"C"$/m.test(view.read(file) ?? ''));
  if (own !== undefined) return { file: own, says: 'calls C' };
  const imported = [...imports].find((path) => BINDINGS.test(path));
  if (imported !== undefined) return { file: module?.file ?? '', says: `uses ${imported}, which binds C` };
  for (const [path, line] of module?.requires ?? []) {
    if (BINDINGS.test(path)) return { file: module?.file ?? '', line, says: `requires ${path}, which binds C` };
  }
  return null;
}

function lockOf(view: FileView, module: GoModule | null): { isMissing: boolean; evidence: Evidence | null } {
  if (module === null) return { isMissing: true, evidence: null };
  const vendored = join(module.dir, 'vendor/modules.txt');
  if (view.files.includes(vendored))
    return { isMissing: false, evidence: { file: vendored, says: 'holds its dependencies' } };
  if (module.requires.size === 0 || view.files.includes(join(module.dir, 'go.sum'))) {
    return { isMissing: false, evidence: null };
  }
  return { isMissing: true, evidence: { file: module.file, says: 'has no go.sum beside it: it is written anew' } };
}

/** A page is built once and then only read: nothing of it runs here later. */
const PAGE: InstallOptions = {
  ignoreWorkspace: false,
  npmCanRead: true,
  downloads: false,
  native: [],
  dispensable: new Map(),
  allowScripts: undefined,
};

/** Installs and builds of the packages that make what is embedded. */
function buildPages(view: FileView, root: string, missing: readonly MissingEmbed[]) {
  const dirs = pageBuilders(view, root, missing);
  const steps: Command[] = [];
  const tools = new Map<string, Tool>();
  for (const dir of dirs) {
    const parsed = readManifest(view, join(dir, 'package.json'));
    const manifest = parsed?.ok ? toPackageJson(parsed.fields) : null;
    const installer = createInstaller(chooseManager(view, dir, manifest), dir, PAGE);
    steps.push(...(installer.rungs[0]?.steps ?? []), installer.run('build', dir));
    for (const tool of installer.tools) tools.set(tool.name, tool);
  }
  return { dirs, steps, tools: [...tools.values()] };
}
