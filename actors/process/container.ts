/** What a container has to be told at each start. */

import { homedir } from 'node:os';
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
