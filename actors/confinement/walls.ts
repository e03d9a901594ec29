/** The sandbox around one start: what it hides and shows, and the environment that fits it. */

import { chmod, chown, mkdir, readdir, realpath } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import type { Sandbox } from '../../launchers/plan.ts';
import { createFailure } from '../../machines/failure.ts';
import type { ToConfine } from '../confinement.ts';
import type { ActorContext } from '../context.ts';
import { exists } from '../exists.ts';
import { FailureError } from '../failure-error.ts';
import { needsPort } from '../process/command.ts';
import { expandHome, HIDDEN, isBelow, sandboxWords, TEMPORARY } from './sandbox.ts';
import { shownPaths } from './shown.ts';
import { findBubblewrap } from './trial.ts';
import { type User, userEnv } from './user.ts';

export interface Walls {
  /** Of the shell around it. */
  readonly lines: readonly string[];
  readonly words: readonly string[];
  readonly env: ToConfine['env'];
}

/** Folders of the caller's that a private HOME has no use for. */
const XDG = ['XDG_CACHE_HOME', 'XDG_CONFIG_HOME', 'XDG_DATA_HOME', 'XDG_STATE_HOME', 'XDG_RUNTIME_DIR'];

/** Rejects with CONFIG_SANDBOX, CONFIG_SANDBOX_NETWORK. */
export async function makeWalls(
  context: ActorContext,
  { input, command, env, address }: ToConfine,
  sandbox: Sandbox,
  user: User | null,
  path: string,
): Promise<Walls> {
  const { store, callerEnv } = context;
  const { spec, environment, plugin } = input;
  if (sandbox.network === 'off' && needsPort(input)) throw new FailureError(createFailure('CONFIG_SANDBOX_NETWORK'));
  const { program, heedsTerm } = await findBubblewrap(sandbox.network, path);
  await store.open();
  const data = store.dataDir(plugin);
  await mkdir(data, { recursive: true, mode: 0o700 });
  const socketFolder = address.socket === null ? [] : [dirname(address.socket)];
  if (user !== null) await Promise.all([data, ...socketFolder].map((each) => chown(each, user.uid, user.gid)));

  const temporary = await realPaths(TEMPORARY);
  const hidden = await realPaths([...HIDDEN, callerEnv.HOME ?? homedir(), homedir(), store.home]);
  const covered = [...hidden, ...temporary];
  const place = await realpath(command.cwd).catch(() => command.cwd);
  if (covered.some((each) => isBelow(each, place))) {
    throw badSandbox(`The sandbox hides ${place}, where the plugin runs.`, 'Run it from a folder of its own.');
  }
  const given = (paths: readonly string[]) => Promise.all(paths.map((each) => requirePath(each, callerEnv.HOME)));
  const isOwners = (name: string) => Object.hasOwn(spec.env.reveal(), name);
  const owners = pick(env, isOwners);
  const shown = await shownPaths({ home: store.home, environment, command, env, owners, hidden: covered });
  if (user !== null) await letIn(shown, store.home);
  const words = sandboxWords({
    program,
    network: sandbox.network,
    hidden,
    temporary,
    shown: [...shown, ...(await given(sandbox.read))],
    // By both names, where a link leads to the home: the one that it is told, and the one that programs find out.
    writable: [...new Set([data, await realpath(data)]), ...socketFolder, ...(await given(sandbox.write))],
    cwd: command.cwd,
    changesUser: user !== null,
  });
  return {
    // bubblewrap would die of a SIGTERM to the group, and take the program with it before that could end well.
    lines: heedsTerm === null ? [] : [`trap '' TERM`],
    words: [...words, ...(heedsTerm ?? [])],
    env: {
      ...pick(user === null ? env : userEnv(user, env), (name) => !XDG.includes(name)),
      HOME: data,
      TMPDIR: '/tmp',
      // Beside its modules Python can't keep what it compiles, and would compile all of them at each start.
      PYTHONPYCACHEPREFIX: join(data, '.cache', 'pycache'),
      ...owners,
    },
  };
}

/** The user may enter its folders; nobody else gets there, because the home itself stays closed. */
async function letIn(shown: readonly string[], home: string): Promise<void> {
  for (const path of shown.filter((each) => isBelow(each, home))) {
    const inner = path === join(home, 'runtimes') ? await readdir(path) : [];
    for (const each of [path, ...inner.map((name) => join(path, name))]) await chmod(each, 0o755);
  }
}

const pick = (env: ToConfine['env'], wanted: (name: string) => boolean) =>
  Object.fromEntries(Object.entries(env).filter(([name]) => wanted(name)));

/** Those that are there, without links. */
async function realPaths(paths: readonly string[]): Promise<readonly string[]> {
  const found = await Promise.all(paths.map((path) => realpath(path).catch(() => null)));
  return [...new Set(found.filter((path) => path !== null && path !== '/'))] as readonly string[];
}

async function requirePath(given: string, home = homedir()): Promise<string> {
  const path = expandHome(given, home);
  if (isAbsolute(path) && (await exists(path))) return path;
  throw badSandbox(
    `The sandbox is to show ${given}, which does not exist.`,
    'Give absolute paths (or ~/…) of files and folders that are there.',
  );
}

const badSandbox = (message: string, hint: string) =>
  new FailureError(createFailure('CONFIG_SANDBOX', { message, hint }));
