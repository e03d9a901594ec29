/** A command that the caller or a manifest gave, with no runtime that we know behind it. */

import { createBasePlan } from './base-plan.ts';
import { explainWith, type Pattern } from './explain.ts';
import { basename, join } from './paths.ts';
import type { Candidate, FileView, Launcher, LaunchPlan, Tool } from './plan.ts';
import { notAServer } from './refusal.ts';
import { findSettings } from './settings.ts';
import { planScript, servingScripts } from './shell-script.ts';

/** Of itself it claims only shell scripts that serve; a compiled program has to be named by someone. */
export function createBinaryLauncher(): Launcher {
  return {
    id: 'binary',
    detect: (view, dir) => servingScripts(view, dir).length > 0,
    plan: (view, dir, spec) => {
      const scripts = servingScripts(view, dir);
      return scripts.length > 0 ? planScript(view, dir, spec, scripts) : notAServer('No command was given.', []);
    },
    resolve: (_view, plan) => plan,
    explain: (output, exit) => explainWith(PATTERNS, output, exit),
  };
}

const PATTERNS: readonly Pattern[] = [
  {
    kind: 'missing-program',
    pattern: /: line \d+: ([^\s:]+): command not found/,
    says: 'There is no program $1',
    hint: 'Install $1.',
  },
  {
    kind: 'missing-library',
    pattern: /error while loading shared libraries: ([\w.+-]+)|Library not loaded: (\S+)/,
    says: 'The system library $1 is missing',
  },
];

export const createBinaryPlan = (view: FileView, dir: string): LaunchPlan => ({
  ...createBasePlan('binary', 'binary', dir),
  wants: findSettings(view, dir),
});

/** Programs that we can find or fetch, by the name that commands call them. */
const TOOLS: Readonly<Record<string, string>> = {
  node: 'node',
  npm: 'npm',
  npx: 'npm',
  pnpm: 'pnpm',
  yarn: 'yarn',
  bun: 'bun',
  bunx: 'bun',
  deno: 'deno',
  python: 'python',
  python3: 'python',
  uv: 'uv',
  uvx: 'uv',
  poetry: 'poetry',
};

/** The tools that a plan has, and those that these programs need besides. */
export function withToolsFor(tools: readonly Tool[], programs: readonly string[]): Tool[] {
  const names = programs.flatMap((program) => TOOLS[program] ?? []);
  const missing = [...new Set(names)].filter((name) => !tools.some((tool) => tool.name === name));
  return [...tools, ...missing.map((name) => ({ name, version: null }))];
}

const TAKES_FILE = /^(node|bun|deno|tsx|python3?(\.\d+)?|ruby|php|sh|bash|java)$/;

/**
 * A given command as a candidate. A program that is a file of the plugin's folder is that file (`./server`, `server`);
 * any other bare name is a tool, or looked up on PATH. What it runs is its entry, so that a build knows what is missing.
 */
export function commandCandidate(view: FileView, id: string, words: readonly string[], cwd: string): Candidate {
  const [program = '', ...args] = words;
  const isPath = program.includes('/') && !program.startsWith('/');
  const own = isPath || (!program.startsWith('/') && view.files.includes(join(cwd, program)));
  const file = own ? join(cwd, program) : null;
  return {
    id,
    command: { program: file === null ? program : file.includes('/') ? file : `./${file}`, args, cwd },
    entry: file ?? scriptOf(basename(program), args, cwd),
  };
}

function scriptOf(program: string, args: readonly string[], cwd: string): string | null {
  const file = TAKES_FILE.test(program)
    ? args.find((word) => /^[^-][^:]*\.(?:[cm]?[jt]s|py|rb|php|sh|jar)$/.test(word))
    : undefined;
  return file === undefined || file.startsWith('/') ? null : join(cwd, file);
}
