/** How a container goes that outlived the `docker run` that started it, or the supervisor that did. */

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** How to reach the engine that runs a container. */
export interface ContainerEngine {
  /** Path of the docker program, or its name. */
  readonly program: string;
  readonly env: Readonly<Record<string, string>>;
}

/** What the docker program needs to find the same engine again; registries' credentials are not among it. */
const REACHED_BY =
  /^(PATH|HOME|XDG_RUNTIME_DIR|DOCKER_(HOST|CONTEXT|CONFIG|CERT_PATH|TLS|TLS_VERIFY|API_VERSION)|CONTAINER_HOST)$/;

/** As it may stand in a file, for whoever comes after us. */
export const withoutSecrets = ({ program, env }: ContainerEngine): ContainerEngine => ({
  program,
  env: Object.fromEntries(Object.entries(env).filter(([name]) => REACHED_BY.test(name))),
});

/** In milliseconds. An engine that takes longer will not remove anything either. */
const ANSWERS_WITHIN = 10_000;

/**
 * Removes what is left of a start. A killed `docker run` leaves its container to the engine: one that reads stdin ends by
 * itself, one that only serves a port would run for ever. Nothing here fails a stop. Resolves with the ids removed.
 */
export async function removeContainers({ program, env }: ContainerEngine, cookie: string): Promise<readonly string[]> {
  const docker = async (...args: string[]) =>
    (await promisify(execFile)(program, args, { env: { ...env }, timeout: ANSWERS_WITHIN })).stdout;
  try {
    const ids = (await docker('ps', '--all', '--quiet', '--filter', `label=mcp-supervisor=${cookie}`)).split(/\s+/);
    const left = ids.filter((id) => /^[0-9a-f]{6,}$/.test(id));
    if (left.length > 0) await docker('rm', '--force', ...left);
    return left;
  } catch {
    // The engine is gone, and its containers with it.
    return [];
  }
}
