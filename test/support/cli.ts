import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { TestHome } from './home.ts';

export const CLI = fileURLToPath(new URL('../../dist/src/cli/main.js', import.meta.url));

export interface CliOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Written to stdin, which is then closed; without it stdin is closed at once. */
  readonly input?: string;
  /** Further arguments of node, before the program. */
  readonly node?: readonly string[];
  readonly cwd?: string;
}

export interface CliResult {
  /** null when a signal ended it. */
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The command line in the background, for tests that signal it. */
export interface CliProcess {
  readonly child: ChildProcess;
  readonly result: Promise<CliResult>;
  /** Resolves with the text so far once stdout and stderr together match; rejects when it ends before. */
  said(pattern: RegExp): Promise<string>;
}

/** Starts `mcp-supervisor …` on this home. */
export function startCli(home: TestHome, args: readonly string[], options: CliOptions = {}): CliProcess {
  if (!existsSync(CLI)) throw new Error(`${CLI} is not built: npm run build`);
  const child = spawn(process.execPath, [...(options.node ?? []), CLI, ...args], {
    env: { ...home.env, ...options.env },
    cwd: options.cwd ?? home.root,
    stdio: 'pipe',
  });
  let stdout = '';
  let stderr = '';
  const listeners = new Set<() => void>();
  const heard = () => {
    for (const listener of [...listeners]) listener();
  };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    heard();
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    heard();
  });
  // It may end without reading what it is given.
  child.stdin.on('error', () => {});
  child.stdin.end(options.input ?? '');

  const result = once(child, 'close').then(([exitCode, signal]): CliResult => ({ exitCode, signal, stdout, stderr }));
  const said = (pattern: RegExp) =>
    new Promise<string>((resolve, reject) => {
      const check = () => {
        if (!pattern.test(stdout + stderr)) return;
        listeners.delete(check);
        resolve(stdout + stderr);
      };
      listeners.add(check);
      check();
      result.then(() => reject(new Error(`it ended without saying ${pattern}:\n${stdout}${stderr}`)), reject);
    });
  return { child, result, said };
}

/** Runs `mcp-supervisor …` on this home to its end. */
export const runCli = (home: TestHome, args: readonly string[], options: CliOptions = {}): Promise<CliResult> =>
  startCli(home, args, options).result;

/** The same on a terminal of 120 columns (util-linux `script`); stdout and stderr come as one. */
export async function runCliOnTerminal(home: TestHome, args: readonly string[]): Promise<CliResult> {
  const line = `stty cols 120; exec ${[process.execPath, CLI, ...args].map(quote).join(' ')}`;
  const child = spawn('script', ['-qec', line, '/dev/null'], {
    env: { ...home.env, TERM: 'xterm-256color' },
    cwd: home.root,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  const [exitCode, signal] = await once(child, 'close');
  return { exitCode, signal, stdout, stderr: '' };
}

const quote = (word: string) => `'${word.replaceAll("'", `'\\''`)}'`;

/** The object that `--json` puts on stderr. */
export interface CliError {
  readonly code: string;
  readonly phase: string;
  readonly message: string;
  readonly hint: string;
  readonly stderrTail: readonly string[];
}

export function errorOf({ stderr }: CliResult): CliError {
  const start = stderr.startsWith('{') ? 0 : stderr.lastIndexOf('\n{') + 1;
  try {
    return JSON.parse(stderr.slice(start)) as CliError;
  } catch {
    throw new Error(`no error object on stderr:\n${stderr}`);
  }
}
