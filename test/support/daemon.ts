import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type CliOptions, type CliProcess, startCli } from './cli.ts';
import type { TestHome } from './home.ts';

/** A server without packages that does what its caller asks for (`fixtures/plugins/puppet`). */
export const PUPPET = `-- ${process.execPath} ${fileURLToPath(new URL('../../fixtures/plugins/puppet/server.js', import.meta.url))}`;

export const writeConfig = async (home: TestHome, config: unknown): Promise<string> => {
  await mkdir(home.path, { recursive: true, mode: 0o700 });
  const path = join(home.path, 'config.yaml');
  await writeFile(path, typeof config === 'string' ? config : JSON.stringify(config));
  return path;
};

export interface TestDaemon extends AsyncDisposable {
  readonly process: CliProcess;
  /** Its first line of JSON. */
  readonly started: { readonly urls: readonly string[]; readonly socket: string; readonly token?: string };
  readonly url: string;
  /** Ends it as a service manager would, and waits. */
  stop(): Promise<void>;
}

/** `serve` in the foreground on a free port. */
export async function startDaemon(
  home: TestHome,
  args: readonly string[] = [],
  options: CliOptions = {},
): Promise<TestDaemon> {
  const running = startCli(home, ['serve', '--port', '0', '--json', ...args], options);
  const said = await running.said(/"event":"listening".*\n/);
  const started = JSON.parse(/\{"event":"listening".*/.exec(said)?.[0] ?? '') as TestDaemon['started'];
  const stop = async () => {
    if (running.child.exitCode === null) running.child.kill('SIGTERM');
    await running.result;
  };
  return { process: running, started, url: started.urls[0] ?? '', stop, [Symbol.asyncDispose]: stop };
}

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** One request over a Unix socket. */
export const overSocket = (socketPath: string, method: string, path: string, body?: unknown): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const asked = request({
      socketPath,
      method,
      path,
      headers: { host: 'localhost', 'content-type': 'application/json' },
    });
    asked.on('error', reject);
    asked.on('response', async (response) => {
      let text = '';
      for await (const chunk of response.setEncoding('utf8')) text += chunk;
      resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) });
    });
    asked.end(body === undefined ? undefined : JSON.stringify(body));
  });

export const readText = (path: string) => readFile(path, 'utf8');
