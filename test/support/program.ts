/** Our own modules in another process: a small TypeScript program, bundled afresh and run by node. */

import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Beside the packages, so that the bundle finds them; a copy of the tree that shares them has its own. */
const CACHE = join(
  ROOT,
  'node_modules/.cache/mcp-supervisor-tests',
  createHash('sha256').update(ROOT).digest('hex').slice(0, 8),
);

export interface Program {
  readonly child: ChildProcess;
  /** Resolves once stdout holds the text; rejects when it ends before. */
  said(text: string): Promise<void>;
  /** Its stdout until now. */
  soFar(): string;
  /** Its stdout, once it has ended. */
  readonly output: Promise<string>;
}

/** Bundles `test/<file>`; the path can be given to `run` any number of times. */
export async function bundleProgram(file: string): Promise<string> {
  const input = fileURLToPath(new URL(`../${file}`, import.meta.url));
  const target = join(CACHE, `${file.replace(/\W+/g, '-')}.mjs`);
  const temp = `${target}.${process.pid}.tmp`;
  const bundle = await rolldown({ input, platform: 'node', external: /^[^./]/, logLevel: 'silent' });
  await bundle.write({ file: temp, format: 'esm', codeSplitting: false });
  await bundle.close();
  // Another test file may be starting it.
  await rename(temp, target);
  return target;
}

export function startProgram(path: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env): Program {
  const child = spawn(process.execPath, [path, ...args], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  let stdout = '';
  const listeners = new Set<() => void>();
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    for (const listener of listeners) listener();
  });
  const output = once(child, 'close').then(() => stdout);
  return {
    child,
    output,
    soFar: () => stdout,
    said: (text) =>
      new Promise((resolve, reject) => {
        const check = () => {
          if (stdout.includes(text)) resolve();
        };
        listeners.add(check);
        check();
        output.then((all) => reject(new Error(`it ended without saying ${text}: ${all}`)), reject);
      }),
  };
}
