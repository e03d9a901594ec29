import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const MAIN = fileURLToPath(new URL('../../dist/src/cli/main.js', import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the built command line to its end, with a pipe for each stream. */
export async function runCli(argv: readonly string[], env: Record<string, string> = {}, stdin = ''): Promise<Ended> {
  if (!existsSync(MAIN)) throw new Error('run `npm run build` first');
  const child = spawn(process.execPath, [MAIN, ...argv], { env: { ...process.env, ...env } });
  const streams = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      streams[name] += text;
    });
  }
  child.stdin.on('error', () => {}).end(stdin);
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, ...streams };
}
