/** Rust projects: one program of a Cargo package or workspace, built for release. */

import { createBasePlan } from './base-plan.ts';
import { sourceName } from './identity.ts';
import { basename, join } from './paths.ts';
import type { Evidence, FileView, Launcher, LaunchPlan, PluginSpec, Refusal } from './plan.ts';
import { notAServer } from './refusal.ts';
import { type Choice, chooseProgram, type Program } from './rust/choose.ts';
import { portOption } from './rust/clap.ts';
import { explainRust } from './rust/explain.ts';
import { builtAt, planInstall } from './rust/install.ts';
import { isSdk } from './rust/manifest.ts';
import { pinnedToolchain, type Toolchain, wantedRust } from './rust/toolchain.ts';
import { type CargoProject, readProject } from './rust/workspace.ts';
import { findPortVariables, findSettings } from './settings.ts';

/** Logs without colours, which would hide from us what they say. */
const ENV = { NO_COLOR: '1' } as const;

export function createRustLauncher(): Launcher {
  return {
    id: 'rust',
    detect: (view, dir) => view.files.includes(join(dir, 'Cargo.toml')),
    plan: planRust,
    resolve: findBuilt,
    explain: explainRust,
  };
}

function planRust(view: FileView, dir: string, spec: PluginSpec): LaunchPlan | Refusal {
  const project = readProject(view, dir);
  if ('code' in project) return project;
  const identities = [sourceName(spec.source), basename(dir)];
  const choice = chooseProgram(view, dir, project, identities);
  const { program, standing } = choice;
  const isOverridden = spec.overrides.command !== undefined;
  if (program === null) return choice.equals.length > 0 ? ambiguous(dir, choice.equals) : noProgram(view, dir, project);
  if (standing === 'none' && !isOverridden) return noServer(project, program);

  const pinned = pinnedToolchain(view, dir);
  const wanted = wantedRust(program.package, pinned);
  const entry = builtAt(program);
  const base = createBasePlan('rust', 'rust', dir);
  const option = portOption(view, program.package.dir);
  return {
    ...base,
    tools: [{ name: 'cargo', version: null }],
    ...(wanted === null ? {} : { newerTools: [{ name: 'cargo', version: wanted }] }),
    install: planInstall(view, project, program, pinned),
    start: [{ id: `bin:${program.bin.name}`, command: { program: entry, args: [], cwd: dir }, entry }],
    port: {
      ...base.port,
      env: [...new Set([...base.port.env, ...findPortVariables(view, dir)])],
      args: option === null ? [] : [option, '{port}'],
    },
    env: ENV,
    wants: findSettings(view, dir),
    confidence: standing === 'sdk' || standing === 'sdk-below' ? 'high' : standing === 'by-hand' ? 'medium' : 'low',
    evidence: [...choice.evidence, ...evidenceOf(program, choice, pinned)],
    passedOver: choice.passedOver,
  };
}

function evidenceOf({ package: owner }: Program, { standing }: Choice, pinned: Toolchain | null): Evidence[] {
  const sdk = owner.dependencies.find(isSdk)?.name;
  const why = {
    sdk: `depends on ${sdk}`,
    'sdk-below': 'depends on a package of the project that depends on an MCP crate',
    'by-hand': 'speaks MCP by itself',
    http: 'serves HTTP',
    none: 'says nothing of MCP',
  }[standing];
  return [
    { file: owner.file, says: why },
    ...(owner.rustVersion === null ? [] : [{ file: owner.file, says: `wants Rust ${owner.rustVersion}` }]),
    ...(pinned === null ? [] : [{ file: pinned.file, says: `was made with Rust ${pinned.channel}` }]),
  ];
}

/** A configuration of the project may build for a named target; then the program lies one folder deeper. */
function findBuilt(view: FileView, plan: LaunchPlan): LaunchPlan {
  const start = plan.start.map((candidate) => {
    const { entry, command } = candidate;
    if (entry === null || command.program !== entry || view.has(entry)) return candidate;
    const [folder = '', name = ''] = entry.split(/\/release\/(?=[^/]+$)/);
    const built = view.files.find((file) => file.startsWith(`${folder}/`) && file.endsWith(`/release/${name}`));
    return built === undefined ? candidate : { ...candidate, entry: built, command: { ...command, program: built } };
  });
  return { ...plan, start };
}

/** Members can be chosen by their folder, programs of one package by what builds and starts them. */
function ambiguous(dir: string, equals: readonly Program[]): Refusal {
  const folders = [...new Set(equals.map((each) => each.package.dir))];
  const names = equals.map(({ bin }) => bin.name);
  const evidence = equals.map((each) => ({ file: each.package.file, says: `holds the program ${each.bin.name}` }));
  const message = `${dir === '' ? 'The project' : dir} holds ${equals.length} programs: ${names.join(', ')}.`;
  const [first] = equals;
  const byCommand = `--install "cargo build --release --bin ${first?.bin.name}" --command target/release/${first?.bin.name}`;
  return folders.length > 1 && !folders.includes(dir)
    ? {
        code: 'DETECT_AMBIGUOUS',
        message,
        hint: `Choose one with --subdir, e.g. --subdir ${folders[0]}.`,
        evidence,
        choices: folders,
      }
    : { code: 'DETECT_AMBIGUOUS', message, hint: `Choose one, e.g. ${byCommand}.`, evidence };
}

function noProgram(view: FileView, dir: string, { file, packages }: CargoProject): Refusal {
  const examples = view.files.filter((path) => /(^|\/)examples\/[^/]+(\.rs|\/main\.rs)$/.test(path)).slice(0, 5);
  const [first] = packages;
  const sdk = packages.flatMap(({ dependencies }) => dependencies.filter(isSdk))[0]?.name;
  const name = first?.name ?? (dir || 'This folder');
  return notAServer(`${name} is a Rust library: no package of it has a program.`, [
    { file, says: 'no src/main.rs, no src/bin, no [[bin]] in any package' },
    ...(sdk === undefined ? [] : [{ file, says: `depends on ${sdk}, so it may be a library for servers` }]),
    ...examples.map((path) => ({ file: path, says: 'is an example' })),
  ]);
}

const noServer = ({ file }: CargoProject, { package: owner, bin }: Program): Refusal =>
  notAServer(`${owner.name} is a Rust project, but nothing in it says that ${bin.name} is a server.`, [
    { file, says: `has the program ${bin.name}` },
    { file, says: 'no dependency on an MCP crate or on an HTTP framework, and no tools/list in its sources' },
  ]);
