import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Sandbox } from '../../launchers/plan.ts';
import { createFailure } from '../../machines/failure.ts';
import { FailureError } from '../failure-error.ts';
import { onPath } from '../runtimes/find.ts';
import { namespaceWords } from './sandbox.ts';

export interface Bubblewrap {
  readonly program: string;
  /** Words that give SIGTERM its meaning back to what runs inside; null where the system's `env` can't (BusyBox). */
  readonly heedsTerm: readonly string[] | null;
}

/**
 * Finds bubblewrap and makes one sandbox with it (4 ms), because only that tells whether it may: containers and some
 * systems forbid user namespaces. CONFIG_SANDBOX says how to get it, or what it said.
 */
export async function findBubblewrap(network: Sandbox['network'], path: string): Promise<Bubblewrap> {
  if (process.platform !== 'linux') {
    throw noSandbox('There is no bubblewrap for this operating system.', 'Leave the sandbox out, or run on Linux.');
  }
  const [program] = await onPath('bwrap', { PATH: path });
  if (program === undefined) throw noSandbox('bubblewrap (the program bwrap) is not installed.');
  const run = (...words: string[]) =>
    promisify(execFile)(program, [...namespaceWords({ program, network }).slice(1), '--', ...words]);
  const heedsTerm = ['env', '--default-signal=TERM'];
  if (
    await run(...heedsTerm, 'true').then(
      () => true,
      () => false,
    )
  )
    return { program, heedsTerm };
  await run('true').catch((error: { stderr?: string; message: string }) => {
    throw noSandbox(
      `bubblewrap can't make a sandbox here: ${(error.stderr || error.message).trim().split('\n')[0]}.`,
      'Allow user namespaces (sysctl kernel.unprivileged_userns_clone=1; for Docker --security-opt seccomp=unconfined), or leave the sandbox out.',
    );
  });
  return { program, heedsTerm: null };
}

const noSandbox = (message: string, hint?: string) =>
  new FailureError(createFailure('CONFIG_SANDBOX', { message, hint }));
