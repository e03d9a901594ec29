/** What a repository leaves to guesswork, and how its author would settle it: `detect --strict`. */

import { join, upwards } from './paths.ts';
import type { Candidate, FileView, LaunchPlan } from './plan.ts';

export interface Doubt {
  /** What is unclear, a sentence. */
  readonly doubt: string;
  /** What would settle it, a sentence. */
  readonly settle: string;
}

/** Lock files of one runtime, by the program that writes them. */
const LOCKS: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  node: {
    npm: ['package-lock.json', 'npm-shrinkwrap.json'],
    pnpm: ['pnpm-lock.yaml'],
    Yarn: ['yarn.lock'],
    Bun: ['bun.lock', 'bun.lockb'],
  },
  python: { uv: ['uv.lock'], Poetry: ['poetry.lock'], PDM: ['pdm.lock'], Pipenv: ['Pipfile.lock'] },
  go: { Go: ['go.sum'] },
  rust: { Cargo: ['Cargo.lock'] },
  deno: { Deno: ['deno.lock'] },
  ruby: { Bundler: ['Gemfile.lock'] },
  php: { Composer: ['composer.lock'] },
};

/** Where each runtime's versions are declared. */
const VERSIONS: Readonly<Record<string, string>> = {
  node: '`engines.node` in package.json',
  python: '`requires-python` in pyproject.toml',
};

/** Ways to start that the project itself names as its program. */
const DECLARED = /^(manifest|override|bin|script|mcpb|cmd|package|jar|project|task)(:|$)/;

/** Files in which a project declares the variables that it reads. */
const DECLARATIONS = ['server.json', 'manifest.json', 'smithery.yaml', 'mcp-supervisor.yaml', 'fastmcp.json'];

/** Everything about a plan that its repository could say more plainly; [] when nothing is left to guess. */
export function findDoubts(view: FileView, plan: LaunchPlan): readonly Doubt[] {
  return [program, locks, version, words, transport, settings].flatMap((find) => find(view, plan));
}

type Find = (view: FileView, plan: LaunchPlan) => readonly Doubt[];

const program: Find = (_, { start: [first], launcher, confidence }) =>
  first === undefined || launcher === 'manifest' || (DECLARED.test(first.id) && confidence === 'high')
    ? []
    : [
        {
          doubt: DECLARED.test(first.id)
            ? `Nothing says that it is an MCP server: ${first.id} was taken with ${confidence} confidence.`
            : `Nothing declares its program: ${first.id} was taken with ${confidence} confidence.`,
          settle: 'Name the program in your package’s own manifest, or in an mcp-supervisor.yaml as below.',
        },
      ];

const locks: Find = (view, { runtime, projectDir, install }) => {
  const kinds = LOCKS[runtime];
  if (kinds === undefined || install.length === 0) return [];
  const folders = upwards(projectDir);
  const found = Object.entries(kinds).filter(([, files]) =>
    files.some((file) => folders.some((folder) => view.files.includes(join(folder, file)))),
  );
  if (found.length === 1) return [];
  return found.length === 0
    ? [
        {
          doubt: 'There is no lock file: each install takes whatever is newest that day.',
          settle: `Commit the lock file of ${Object.keys(kinds).join(', ')}${Object.keys(kinds).length > 1 ? ', whichever you use' : ''}.`,
        },
      ]
    : [
        {
          doubt: `There are lock files of ${found.map(([name]) => name).join(' and ')}.`,
          settle: 'Keep the one that you use, and remove the others.',
        },
      ];
};

const version: Find = (_, { runtime, tools }) => {
  const where = VERSIONS[runtime];
  const tool = tools.find(({ name }) => name === runtime);
  return where === undefined || tool === undefined || tool.version !== null
    ? []
    : [{ doubt: `It doesn't say which versions of ${runtime} it runs on.`, settle: `Set ${where}.` }];
};

const words: Find = (_, { args = [], evidence, launcher }) => {
  const source = evidence.find(({ says }) => says.startsWith('is started with '));
  return launcher === 'manifest' || source === undefined || source.file.endsWith('server.json')
    ? []
    : [
        {
          doubt: `That it is started with \`${args.join(' ')}\` is read from ${source.file}.`,
          settle:
            'Make that the default, or declare it as `packageArguments` in server.json or `args` in mcp-supervisor.yaml.',
        },
      ];
};

const transport: Find = (_, plan) =>
  plan.transport !== 'auto'
    ? []
    : [
        {
          doubt: 'It doesn’t declare its transport: the first start has to find it out.',
          settle: 'Set `transport` in mcp-supervisor.yaml.',
        },
      ];

const settings: Find = (view, { wants, projectDir }) => {
  const declared = upwards(projectDir)
    .flatMap((folder) => DECLARATIONS.map((file) => view.read(join(folder, file)) ?? ''))
    .join('\n');
  const names = wants.filter(({ name, secret }) => secret && !declared.includes(name)).map(({ name }) => name);
  return names.length === 0
    ? []
    : [
        {
          doubt: `It reads ${names.join(', ')}, and no manifest says whether that is required.`,
          settle: 'Declare them as `environmentVariables` in server.json, with `isRequired` and `isSecret`.',
        },
      ];
};

/** An mcp-supervisor.yaml that says outright what the plan had to find out. */
export function suggestManifest({
  runtime,
  start: [first],
  args = [],
  transport: kind,
  projectDir,
}: LaunchPlan): string {
  const lines = [
    `runtime: ${runtime}`,
    ...(first === undefined ? [] : programLines(first, args, projectDir)),
    ...(args.length === 0 ? [] : [`args: [${args.map((word) => JSON.stringify(word)).join(', ')}]`]),
    kind === 'auto' ? 'transport: stdio # or streamable-http, sse, http' : `transport: ${kind}`,
  ];
  return `${lines.join('\n')}\n`;
}

function programLines({ id, entry, command }: Candidate, args: readonly string[], dir: string): readonly string[] {
  if (id.startsWith('script:')) return [`command: ${id.slice('script:'.length)}`];
  if (entry !== null && ['node', 'python'].includes(command.program)) {
    return [`entry: ${dir === '' ? entry : entry.slice(dir.length + 1)}`];
  }
  const own = command.args.slice(0, command.args.length - args.length);
  return [`command: ${JSON.stringify([command.program, ...own])}`];
}
