import { cp, mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { git } from './git-server.ts';

const FIXTURES = fileURLToPath(new URL('../../fixtures/plugins', import.meta.url));

/** The folder of a fixture plugin. */
export const fixtureFolder = (name: string): string => join(FIXTURES, name);

/** A fixture plugin as a git repository. */
export interface FixtureRepo {
  /** Of the bare repository, below `FixtureRepos.root`. */
  readonly path: string;
  /** `file://…` */
  readonly url: string;
  readonly commit: string;
}

export interface FixtureRepos extends AsyncDisposable {
  /** What a git server would serve. */
  readonly root: string;
  /**
   * Makes `<root>/<as>.git` with one commit on `main` (and a tag `v1`) that holds the fixture's files; `files` are
   * written over them.
   */
  add(name: string, options?: { as?: string; files?: Readonly<Record<string, string>> }): Promise<FixtureRepo>;
}

export async function createFixtureRepos(): Promise<FixtureRepos> {
  const top = await realpath(await mkdtemp(join(tmpdir(), 'mcps-repos-')));
  const root = join(top, 'served');
  await mkdir(root);
  return {
    root,
    async add(name, { as = name, files = {} } = {}) {
      const work = join(top, 'work', as);
      const path = join(root, `${as}.git`);
      await cp(fixtureFolder(name), work, { recursive: true, filter: (from) => !GENERATED.has(basename(from)) });
      for (const [file, text] of Object.entries(files)) {
        await mkdir(dirname(join(work, file)), { recursive: true });
        await writeFile(join(work, file), text);
      }
      await git(work, 'init', '--quiet', '--initial-branch=main');
      await git(work, 'add', '--all', '--force');
      await git(work, 'commit', '--quiet', '--message', `Fixture ${as}`);
      await git(work, 'tag', 'v1');
      await git(top, 'clone', '--quiet', '--bare', work, path);
      // As the public hosts do: any commit can be fetched by its id.
      await git(path, 'config', 'uploadpack.allowAnySHA1InWant', 'true');
      await git(path, 'update-server-info');
      return { path, url: pathToFileURL(path).href, commit: await git(path, 'rev-parse', 'HEAD') };
    },
    [Symbol.asyncDispose]: () => rm(top, { recursive: true, force: true, maxRetries: 3 }),
  };
}

/** What an install or a build leaves in a fixture's folder. */
const GENERATED: ReadonlySet<string> = new Set(['node_modules', 'dist', '__pycache__', '.venv', 'target']);
