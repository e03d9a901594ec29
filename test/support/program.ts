/** Our own modules in another process: a small TypeScript program, bundled afresh and run by node. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

/** Beside the packages, so that the bundle finds them. */
const CACHE = fileURLToPath(new URL('../../node_modules/.cache/mcp-supervisor-tests', import.meta.url));

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
  const target = `${CACHE}/${file.replace(/\W+/g, '-')}.mjs`;
  const bundle = await rolldown({ input, platform: 'node', external: /^[^./]/, logLevel: 'silent' });
  await bundle.write({ file: target, format: 'esm', codeSplitting: false });
  await bundle.close();
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
