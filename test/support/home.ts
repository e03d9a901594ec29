import { mkdir, mkdtemp, readdir, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A home of its own for one test, with its own TMPDIR, so that what is left behind can be told from everyone else's. */
export interface TestHome extends AsyncDisposable {
  /** Absolute; unique, and part of every path below it. */
  readonly root: string;
  /** `MCP_SUPERVISOR_HOME`; does not exist yet. */
  readonly path: string;
  /** `TMPDIR`; exists and is empty. */
  readonly tmp: string;
  /** The caller's environment with this home and this TMPDIR. */
  readonly env: Readonly<Record<string, string>>;
}

export async function createHome(more: Readonly<Record<string, string>> = {}): Promise<TestHome> {
  const root = await realpath(await mkdtemp(join(tmpdir(), 'mcps-')));
  const path = join(root, 'home');
  const tmp = join(root, 'tmp');
  await mkdir(tmp);
  const { CI: _, ...caller } = process.env as Record<string, string>;
  return {
    root,
    path,
    tmp,
    env: { ...caller, MCP_SUPERVISOR_HOME: path, TMPDIR: tmp, ...more },
    // Checkouts may be read-only to everyone.
    [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true, maxRetries: 3 }),
  };
}

/** Environments in the home, `<plugin>/<key>`, sorted. */
export async function environmentsOf(home: TestHome): Promise<readonly string[]> {
  return foldersTwoDown(join(home.path, 'envs'));
}

/** Checkouts in the home, `<source>/<commit>`, sorted. */
export async function checkoutsOf(home: TestHome): Promise<readonly string[]> {
  return foldersTwoDown(join(home.path, 'checkouts'));
}

async function foldersTwoDown(folder: string): Promise<readonly string[]> {
  const outer = await readdir(folder).catch(() => []);
  const inner = await Promise.all(
    outer.map(async (name) => (await readdir(join(folder, name)).catch(() => [])).map((entry) => `${name}/${entry}`)),
  );
  return inner.flat().sort();
}
