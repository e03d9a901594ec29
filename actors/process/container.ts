/** What a container has to be told at each start, and how one goes that outlived the `docker run` that started it. */

import { execFile } from 'node:child_process';
import { homedir } from 'node:os';
import { promisify } from 'node:util';
import type { Candidate, PluginSpec } from '../../launchers/plan.ts';
import { createFailure } from '../../machines/failure.ts';
import { expandHome } from '../confinement/sandbox.ts';
import { FailureError } from '../failure-error.ts';

/** True for a command that starts a container. */
export const isContainer = ({ command }: Candidate): boolean => command.args.includes('{env}');

/**
 * The candidate with its own words filled in: `{env}` names each variable as `-e NAME`, so that values reach the container
 * through the environment of `docker run` and are in no list of processes; `{cookie}` marks the container.
 */
export function forContainer(
  candidate: Candidate,
  names: readonly string[],
  cookie: string,
  confining: readonly string[] = [],
): Candidate {
  const args = candidate.command.args.flatMap((word) =>
    word === '{env}' ? [...names.flatMap((name) => ['-e', name]), ...confining] : [word.replaceAll('{cookie}', cookie)],
  );
  return { ...candidate, command: { ...candidate.command, args } };
}

/**
 * Limits, user and sandbox as the engine takes them: a container has a system, a /tmp and processes of its own already.
 * CONFIG_SANDBOX_NETWORK for one that is reached by a port.
 */
export function containerWords(
  { limits = {}, user, sandbox }: Pick<PluginSpec, 'limits' | 'user' | 'sandbox'>,
  isReachedByPort: boolean,
  home = homedir(),
): readonly string[] {
  const offline = sandbox?.network === 'off';
  if (offline && isReachedByPort) throw new FailureError(createFailure('CONFIG_SANDBOX_NETWORK'));
  const given = (paths: readonly string[] = []) => paths.map((path) => expandHome(path, home));
  const { memory, cpu, cpuTime, processes, files } = limits;
  return [
    ...(memory === undefined ? [] : [`--memory=${memory}`]),
    ...(cpu === undefined ? [] : [`--cpus=${cpu}`]),
    ...(cpuTime === undefined ? [] : [`--ulimit=cpu=${Math.ceil(cpuTime)}`]),
    ...(processes === undefined ? [] : [`--pids-limit=${processes}`]),
    ...(files === undefined ? [] : [`--ulimit=nofile=${files}:${files}`]),
    ...(user === undefined ? [] : [`--user=${user}`]),
    ...(offline ? ['--network=none'] : []),
    ...given(sandbox?.read).map((path) => `--volume=${path}:${path}:ro`),
    ...given(sandbox?.write).map((path) => `--volume=${path}:${path}`),
  ];
}

/** Variables for the docker program itself. */
export const isForEngine = (name: string): boolean => /^(DOCKER_\w+|XDG_RUNTIME_DIR)$/.test(name);

/** In milliseconds. An engine that takes longer will not remove anything either. */
const ANSWERS_WITHIN = 10_000;

/**
 * Removes what is left of a start. A killed `docker run` leaves its container to the engine: one that reads stdin ends by
 * itself, one that only serves a port would run for ever. Nothing here fails a stop.
 */
export async function removeContainers(
  program: string,
  cookie: string,
  env: Readonly<Record<string, string>>,
): Promise<void> {
  const docker = async (...args: string[]) =>
    (await promisify(execFile)(program, args, { env: { ...env }, timeout: ANSWERS_WITHIN })).stdout;
  try {
    const ids = (await docker('ps', '--all', '--quiet', '--filter', `label=mcp-supervisor=${cookie}`)).split(/\s+/);
    const left = ids.filter((id) => /^[0-9a-f]{6,}$/.test(id));
    if (left.length > 0) await docker('rm', '--force', ...left);
  } catch {
    // The engine is gone, and its containers with it.
  }
}
