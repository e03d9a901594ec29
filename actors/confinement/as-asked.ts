/** Puts together what a plugin's spec asks for. */

import { constants } from 'node:os';
import type { ResourceLimits } from '../../launchers/plan.ts';
import { createFailure, type Exit, type Failure } from '../../machines/failure.ts';
import type { Confined, ToConfine } from '../confinement.ts';
import type { ActorContext } from '../context.ts';
import { exists } from '../exists.ts';
import { FailureError } from '../failure-error.ts';
import { type Family, findFamily, processIdentity } from '../groups.ts';
import { usesProc } from '../platform.ts';
import type { ResolvedCommand } from '../process/command.ts';
import { spawnFailure } from '../process/spawn-failure.ts';
import { isExecutable, onPath } from '../runtimes/find.ts';
import { type Cgroup, controllersFor, createCgroup, findCgroup, reapCgroups } from './cgroup.ts';
import { breachByExit, limitFailure, shellWords, ulimitLines } from './limits.ts';
import { breachBySample } from './sample.ts';
import { createTcpWatch } from './tcp-watch.ts';
import { findUser, requireEntry, userEnv, userWords } from './user.ts';
import { makeWalls } from './walls.ts';
import { watch } from './watch.ts';

/** bubblewrap, and the first process of its own list of processes. */
const WRAPPERS = 2;

/** `setpriv` and `bwrap` are the system's, whatever PATH the plugin has. */
const SYSTEM_PATH = '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin';

export async function confineAsAsked(context: ActorContext, what: ToConfine): Promise<Confined> {
  const { input, command, cookie } = what;
  const { spec, generation, plugin } = input;
  const { limits = {}, sandbox } = spec;
  const path = `${context.callerEnv.PATH ?? ''}:${SYSTEM_PATH}`;
  await requireProgram(command, what.env, generation);
  const user = spec.user === undefined ? null : await findUser(spec.user);
  const become = user === null ? [] : await userWords(user, path);
  const inside = [...shellWords(ulimitLines(limits)), ...become];
  const walls = sandbox === undefined ? null : await makeWalls(context, what, sandbox, user, path);
  if (user !== null && walls === null) await requireEntry(become, command.cwd, spec.user ?? '');
  const cgroup = makeCgroup(context, limits, cookie, plugin);
  const outside = shellWords([...(cgroup?.lines ?? []), ...(walls?.lines ?? [])]);
  const words = [...outside, ...(walls?.words ?? []), ...inside];

  const wrappers = walls === null ? 0 : WRAPPERS;
  // The kernel says of memory what a look each second could miss; it counts threads, and a limit of processes doesn't.
  const sampled: ResourceLimits = {
    ...(limits.memory === undefined || cgroup !== null ? {} : { memory: limits.memory }),
    ...(limits.processes === undefined ? {} : { processes: limits.processes }),
  };
  const tcp = sandbox?.network === 'off' ? createTcpWatch(() => context.instances.get(plugin)?.session != null) : null;
  let rest = () => {};
  const looks = cgroup !== null || Object.keys(sampled).length > 0 || tcp !== null;
  const look = async (family: Family): Promise<Failure | null> => {
    const pids = await findFamily(family);
    const breach = cgroup?.breach() ?? breachBySample(sampled, pids, wrappers);
    return breach === null ? (tcp?.(pids) ?? null) : limitFailure(breach, generation);
  };
  return {
    command: withWords(words, command),
    env: walls?.env ?? (user === null ? what.env : userEnv(user, what.env)),
    watch: (family, tell) => {
      if (looks) rest = watch(() => look(family), tell);
    },
    exitOf: walls === null ? (exit) => exit : exitInside,
    breachBy: (exit, tail) => {
      const breach = cgroup?.breach() ?? breachByExit(limits, exit, tail);
      return breach === null ? null : { ...limitFailure(breach, generation), exit };
    },
    kill: () => cgroup?.kill(),
    rest: () => rest(),
    dispose: async () => {
      rest();
      await cgroup?.remove();
    },
  };
}

const withWords = (words: readonly string[], command: ResolvedCommand): ResolvedCommand => {
  const [program, ...args] = words;
  return program === undefined ? command : { ...command, program, args: [...args, command.program, ...command.args] };
};

/** A shell can only say in its own words that there is no such program. */
async function requireProgram(command: ResolvedCommand, env: ToConfine['env'], generation: number): Promise<void> {
  const { program } = command;
  const fits = program.includes('/') ? await isExecutable(program) : (await onPath(program, env)).length > 0;
  if (fits) return;
  const code = program.includes('/') && (await exists(program)) ? 'EACCES' : 'ENOENT';
  throw new FailureError(spawnFailure({ code }, command, generation));
}

/** Without a cgroup memory and processes are sampled; nothing but a cgroup keeps a share of the cores. */
function makeCgroup(context: ActorContext, limits: ResourceLimits, cookie: string, plugin: string): Cgroup | null {
  const base = usesProc ? findCgroup(controllersFor(limits)) : null;
  if (base !== null) {
    try {
      reapCgroups(base, isOwnerAlive);
      return createCgroup(base, cookie, limits);
    } catch (error) {
      context.log.warn(
        { plugin, base, err: error },
        'the system did not take the limits; memory and processes are sampled',
      );
    }
  }
  if (limits.cpu === undefined) return null;
  throw new FailureError(
    createFailure('CONFIG_LIMIT', {
      message: 'A share of the cores (limits.cpu) can only be kept by cgroups, and none is delegated to this process.',
      data: { limit: 'cpu' },
    }),
  );
}

const isOwnerAlive = (owner: string): boolean => {
  const [pid = '', startTime] = owner.split('-');
  return processIdentity(Number(pid))?.startTime.replaceAll(/[^A-Za-z0-9]/g, '') === startTime;
};

/** bubblewrap tells of a signal as shells do: by a code above 128. */
function exitInside({ code, signal }: Exit): Exit {
  const number = (code ?? 0) - 128;
  const name = Object.entries(constants.signals).find(([, value]) => value === number)?.[0];
  return name === undefined ? { code, signal } : { code: null, signal: name };
}
