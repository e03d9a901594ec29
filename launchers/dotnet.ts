/** .NET projects: C#, F# and Visual Basic, alone or in a solution. */

import { createBasePlan } from './base-plan.ts';
import { candidatesIn, chooseFrom, filesIn, nameOf, SOLUTION, serves, withoutAside } from './dotnet/choose.ts';
import { explainDotnet } from './dotnet/explain.ts';
import { type DotnetProject, isPortable, PROJECT, releaseOf, speaksMcp } from './dotnet/project.ts';
import { byIdentity, sourceName } from './identity.ts';
import { basename, dirname, extname, join, relative, upwards, withoutExtension } from './paths.ts';
import type {
  Candidate,
  Command,
  Evidence,
  FileView,
  Launcher,
  LaunchPlan,
  PassedOver,
  PluginSpec,
  Refusal,
  Rung,
} from './plan.ts';
import { notAServer, unsupported } from './refusal.ts';
import { findPortVariables, findSettings, sourceFiles } from './settings.ts';

/** Below the project; a folder whose name begins with a dot is never taken for sources. */
const OUTPUT = '.mcp-supervisor/publish';

/** No greeting on the protocol's stdout; a program for an older .NET runs on a newer one. */
const ENV = {
  DOTNET_NOLOGO: '1',
  DOTNET_CLI_TELEMETRY_OPTOUT: '1',
  DOTNET_ROLL_FORWARD: 'Major',
  DOTNET_SYSTEM_CONSOLE_ALLOW_ANSI_COLOR_REDIRECTION: '0',
} as const;

/** A plain program for this machine, whatever a project publishes for others; no server of the compiler outlives it. */
const PLAIN = [
  'PublishAot=false',
  'PublishSingleFile=false',
  'PublishTrimmed=false',
  'PublishReadyToRun=false',
  'SelfContained=false',
  'PublishSelfContained=false',
  'GeneratePackageOnBuild=false',
  'UseAppHost=false',
  'UseSharedCompilation=false',
].map((each) => `-p:${each}`);

export function createDotnetLauncher(): Launcher {
  return {
    id: 'dotnet',
    detect: (view, dir) =>
      filesIn(view, dir).some((file) => PROJECT.test(file) || SOLUTION.test(file) || isScript(view, file)),
    plan: planDotnet,
    resolve: followPublished,
    explain: explainDotnet,
  };
}

/** .NET 10 runs a single file that names its packages. */
const isScript = (view: FileView, file: string): boolean =>
  extname(file) === '.cs' && /^#:package\s+ModelContextProtocol/m.test(view.read(file) ?? '');

function planDotnet(view: FileView, dir: string, spec: PluginSpec): LaunchPlan | Refusal {
  const found = candidatesIn(view, dir);
  const readable = found.filter((each): each is DotnetProject => !('code' in each));
  const [broken] = found.filter((each): each is Refusal => 'code' in each);
  const programs = readable.filter(({ isProgram, isTest, isHost }) => isProgram && !isTest && !isHost);
  const speaking = programs.filter(speaksMcp);
  const some =
    [speaking.filter((each) => serves(view, each)), speaking, programs].find((each) => each.length > 0) ?? [];
  const isOverridden = spec.overrides.command !== undefined;
  const chosen = chooseFrom(some, [sourceName(spec.source), basename(dir)]) ?? (isOverridden ? readable[0] : undefined);
  if (chosen === undefined) {
    const script = filesIn(view, dir).find((file) => isScript(view, file));
    if (script !== undefined) return planScript(view, dir, script);
    if (broken !== undefined) return broken;
    return some.length > 1 ? ambiguous(dir, withoutAside(some)) : refuse(dir, readable);
  }
  const framework = frameworkOf(chosen);
  if (framework === null && chosen.frameworks.length > 0 && !isOverridden) {
    return unsupported(
      `${basename(chosen.file)} is made for ${chosen.frameworks.join(', ')}, which runs on Windows only.`,
      [{ file: chosen.file, says: `targets ${chosen.frameworks.join(', ')}` }],
      'Run it on Windows, or give the command of another server with --command.',
    );
  }
  return planProject(view, chosen, framework, passedOver(readable, chosen));
}

/** The newest framework that runs here; null when none does. */
const frameworkOf = ({ frameworks }: DotnetProject): string | null =>
  frameworks.filter(isPortable).sort((a, b) => (releaseOf(b) ?? 0) - (releaseOf(a) ?? 0))[0] ?? null;

function planProject(
  view: FileView,
  project: DotnetProject,
  framework: string | null,
  passed: readonly PassedOver[],
): LaunchPlan {
  const { dir, file } = project;
  const publish = (more: readonly string[] = []): Command => ({
    program: 'dotnet',
    args: [
      'publish',
      basename(file),
      '-c',
      'Release',
      '-o',
      OUTPUT,
      ...(framework !== null && project.frameworks.length > 1 ? ['-f', framework] : []),
      '--nologo',
      '-nodeReuse:false',
      ...PLAIN,
      ...more,
    ],
    cwd: dir,
  });
  const pin = upwards(dir)
    .map((folder) => join(folder, 'global.json'))
    .find((each) => view.files.includes(each));
  const install: Rung[] = [
    { id: 'dotnet-publish', steps: [publish()], cures: 'any' },
    {
      id: 'without-lock',
      steps: [publish(['-p:RestoreLockedMode=false', '--force-evaluate'])],
      cures: ['lock-out-of-date'],
    },
    ...(pin === undefined
      ? []
      : [
          {
            id: 'any-sdk',
            // It names an exact SDK; a newer one builds the project too.
            steps: [{ program: 'mv', args: [relative(dir, pin), relative(dir, `${pin}.unused`)], cwd: dir }, publish()],
            cures: ['engine-mismatch'] as const,
          },
        ]),
  ];
  const base = createBasePlan('dotnet', 'dotnet', dir);
  const mcp = speaksMcp(project);
  const least = Math.max(0, ...project.frameworks.map((each) => releaseOf(each) ?? 0));
  const web = servesHttp(view, project);
  const entry = join(dir, OUTPUT, `${project.assemblyName}.dll`);
  const evidence: Evidence[] = [
    ...(mcp
      ? [
          {
            file,
            says: `depends on ${project.packages.find((each) => /ModelContextProtocol|Mcp/i.test(each)) ?? 'MCP'}`,
          },
        ]
      : []),
    {
      file,
      says: `makes ${project.assemblyName}.dll${least === 0 ? '' : ` for ${framework ?? project.frameworks.join(', ')}`}`,
    },
    ...(web.only ? [{ file, says: 'serves HTTP' }] : []),
    ...(pin === undefined ? [] : [{ file: pin, says: 'names the SDK to build with' }]),
  ];
  return {
    ...base,
    tools: [{ name: 'dotnet', version: least === 0 ? null : `>=${least}.0` }],
    install,
    start: [startOf(project.assemblyName, entry, dir, web.only)],
    port: { ...base.port, env: [...new Set([...base.port.env, 'ASPNETCORE_URLS', ...findPortVariables(view, dir)])] },
    endpoint: web.endpoint,
    env: ENV,
    wants: findSettings(view, dir),
    confidence: mcp ? (serves(view, project) ? 'high' : 'low') : 'medium',
    evidence,
    passedOver: passed,
  };
}

/** An HTTP server is told its address at once: the usual 5000 belongs to others on many machines. */
const startOf = (name: string, entry: string, cwd: string, web: boolean): Candidate => ({
  id: `project:${name}`,
  command: {
    program: 'dotnet',
    args: [relative(cwd, entry)],
    cwd,
    ...(web ? { env: { ASPNETCORE_URLS: 'http://{host}:{port}' } } : {}),
  },
  entry,
});

/** Whether it serves nothing but HTTP, and where, as its sources say. */
function servesHttp(view: FileView, { dir, packages, sdk }: DotnetProject): { only: boolean; endpoint: string | null } {
  const texts = sourceFiles(view, dir).flatMap((file) => view.read(file) ?? []);
  const stdio = texts.some((text) =>
    /WithStdioServerTransport|StdioServerTransport|Console\.(In|OpenStandardInput)/.test(text),
  );
  const http = packages.some((each) => /^ModelContextProtocol\.AspNetCore$/i.test(each)) || /Sdk\.Web$/i.test(sdk);
  const mapped = texts
    .map((text) => /\.MapMcp\(\s*(?:pattern:\s*)?"([^"]*)"/.exec(text)?.[1])
    .find((each) => each !== undefined);
  const path = mapped === undefined || mapped === '' ? null : mapped.startsWith('/') ? mapped : `/${mapped}`;
  return { only: http && !stdio, endpoint: path === null || /[{]/.test(path) ? null : path };
}

function planScript(view: FileView, dir: string, file: string): LaunchPlan {
  const base = createBasePlan('dotnet', 'dotnet', dir);
  const name = withoutExtension(basename(file));
  const entry = join(dir, OUTPUT, `${name}.dll`);
  return {
    ...base,
    tools: [{ name: 'dotnet', version: '>=10.0' }],
    install: [
      {
        id: 'dotnet-publish',
        steps: [
          {
            program: 'dotnet',
            args: ['publish', basename(file), '-c', 'Release', '-o', OUTPUT, '--nologo', ...PLAIN],
            cwd: dir,
          },
        ],
        cures: 'any',
      },
    ],
    start: [startOf(name, entry, dir, /AspNetCore/.test(view.read(file) ?? ''))],
    env: ENV,
    wants: findSettings(view, dir),
    confidence: 'high',
    evidence: [{ file, says: 'is a program of one file that depends on ModelContextProtocol' }],
  };
}

const passedOver = (all: readonly DotnetProject[], chosen: DotnetProject): PassedOver[] =>
  all
    .filter((each) => each !== chosen)
    .slice(0, 10)
    .map((each) => ({
      file: each.file,
      what: nameOf(each),
      why: each.isTest
        ? 'holds tests'
        : each.isHost
          ? 'starts other projects'
          : each.isProgram
            ? 'is less likely the server'
            : 'is a library',
    }));

function ambiguous(dir: string, some: readonly DotnetProject[]): Refusal {
  const choices = [...new Set(some.map((each) => each.dir))].sort();
  return {
    code: 'DETECT_AMBIGUOUS',
    message: `${dir === '' ? 'The solution' : dir} holds ${choices.length} programs: ${choices.join(', ')}.`,
    hint: `Choose one with --subdir, e.g. --subdir ${choices[0]}.`,
    evidence: some.map(({ file }) => ({ file, says: 'makes a program' })),
    choices,
  };
}

const refuse = (dir: string, projects: readonly DotnetProject[]): Refusal =>
  notAServer(
    `${dir || 'This folder'} holds .NET projects, but none that makes a program.`,
    projects.slice(0, 10).map(({ file, isTest, isHost }) => ({
      file,
      says: isTest ? 'holds tests' : isHost ? 'starts other projects' : 'makes a library',
    })),
  );

/** `<name>.runtimeconfig.json` stands beside every program that was published: it knows the name for certain. */
function followPublished(view: FileView, plan: LaunchPlan): LaunchPlan {
  const published = view.files.filter(
    (file) => dirname(file) === join(plan.projectDir, OUTPUT) && file.endsWith('.runtimeconfig.json'),
  );
  const start = plan.start.map((candidate): Candidate => {
    const { entry, id, command } = candidate;
    if (!id.startsWith('project:') || entry === null || published.length === 0 || view.files.includes(entry))
      return candidate;
    const names = published.map((file) => basename(file).replace(/\.runtimeconfig\.json$/, ''));
    const [name = ''] = byIdentity(names, [id.slice('project:'.length)]);
    const made = join(dirname(entry), `${name}.dll`);
    const before = relative(command.cwd, entry);
    const args = command.args.map((word) => (word === before ? relative(command.cwd, made) : word));
    return { ...candidate, entry: made, command: { ...command, args } };
  });
  return { ...plan, start };
}
