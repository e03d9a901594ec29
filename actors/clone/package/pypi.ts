import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SourceOf } from '../../../launchers/plan.ts';
import { packageFailure, type Resolved, type RunClient } from '../package.ts';

interface Asking {
  /** Empty folder. */
  readonly cwd: string;
  /** Absolute path of the interpreter for which a version is chosen. */
  readonly python: string;
  readonly run: RunClient;
}

/**
 * Lets uv lock a project that needs the package alone. Its dependencies are declared to be none, so nothing is built to
 * learn them: code of the package must not run before there is a plan.
 */
export async function askPypi(source: SourceOf<'package'>, { cwd, python, run }: Asking): Promise<Resolved> {
  const bare = source.name.replace(/\[.*$/, '');
  const { version } = source;
  const requirement = `${bare}${version === null ? '' : /^[<>=~!]/.test(version) ? version : `==${version}`}`;
  const project = [
    '[project]',
    'name = "mcp-supervisor-asks"',
    'version = "0"',
    `dependencies = [${JSON.stringify(requirement)}]`,
    '[[tool.uv.dependency-metadata]]',
    `name = ${JSON.stringify(bare)}`,
    'requires-dist = []',
  ];
  await writeFile(join(cwd, 'pyproject.toml'), `${project.join('\n')}\n`);
  const result = await run(['lock', '--no-build', '--no-progress', '--python', python], {
    UV_PYTHON_DOWNLOADS: 'never',
  });
  if (!result.ok) throw packageFailure(source, result);
  const lock = await readFile(join(cwd, 'uv.lock'), 'utf8');
  const [, found] = /^\[\[package\]\]\nname = "(?!mcp-supervisor-asks")[^"]+"\nversion = "([^"]+)"/m.exec(lock) ?? [];
  if (found === undefined) throw packageFailure(source, result);
  const times = [...lock.matchAll(/upload-time = "([^"]+)"/g)].map(([, time = '']) => Date.parse(time));
  const last = Math.max(...times.filter((time) => !Number.isNaN(time)));
  return {
    version: found,
    published: Number.isFinite(last) ? new Date(last) : null,
    note: { name: source.name },
    files: {},
  };
}
