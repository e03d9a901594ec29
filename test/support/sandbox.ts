import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { beforeEach } from 'vitest';
import { findBubblewrap } from '../../actors/confinement/trial.ts';

/** Skips the tests of this scope, with the reason, where bubblewrap is not installed or may not make a sandbox. */
export function needsBubblewrap(): void {
  const answer = findBubblewrap('off', process.env.PATH ?? '').then(
    ({ heedsTerm }) => (heedsTerm === null ? 'env can not give SIGTERM its meaning back (coreutils 8.31)' : null),
    (error: Error) => error.message,
  );
  beforeEach(async ({ skip }) => {
    const reason = await answer;
    skip(reason !== null, reason ?? '');
  });
}

/** Skips the tests of this scope where we are not root, or there is no setpriv: only then can a plugin be another user. */
export function needsRoot(): void {
  const answer = promisify(execFile)('setpriv', ['--version']).then(
    () => process.getuid?.() === 0,
    () => false,
  );
  beforeEach(async ({ skip }) => skip(!(await answer), 'only root, with setpriv, runs programs as another user'));
}
