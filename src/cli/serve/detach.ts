/** Starts the daemon in the background; returns when it answers, or with what kept it from that. */

import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { FailureError } from '../../../actors/failure-error.ts';
import { createStore } from '../../../actors/store/create-store.ts';
import { createFailure, FAILURES, type FailureCode, type FailureDetails } from '../../../machines/failure.ts';
import { SupervisorError, supervisorError } from '../../errors.ts';
import { EXIT } from '../exit-codes.ts';
import { toJson } from '../json.ts';
import type { CommandContext } from '../session.ts';
import { placesOf, type ServeFlags } from './options.ts';
import { createReport, type Started } from './report.ts';

/** Bytes after which the log of earlier daemons is set aside, as plugins' logs are. */
const LARGE = 5_000_000;

type Word = { readonly started: Started } | { readonly failed: FailureDetails & { readonly code: string } };

export async function detach(flags: ServeFlags, { terminal, shutdown, env }: CommandContext): Promise<number> {
  const { home } = placesOf(flags, env);
  await createStore({ home })
    .open()
    .catch((error: unknown) => {
      throw error instanceof FailureError ? new SupervisorError(error.failure) : error;
    });
  const logFile = join(home, 'daemon.log');
  mkdirSync(home, { recursive: true, mode: 0o700 });
  if ((statSync(logFile, { throwIfNoEntry: false })?.size ?? 0) > LARGE) renameSync(logFile, `${logFile}.1`);
  const log = openSync(logFile, 'a', 0o600);
  const [program = '', ...words] = process.argv.slice(1);
  const child = spawn(
    process.execPath,
    [...process.execArgv, program, ...words.filter((word) => word !== '--detach' && word !== '--json')],
    {
      detached: true,
      stdio: ['ignore', log, log, 'ipc'],
      env,
    },
  );
  closeSync(log);
  const onAbort = () => child.kill();
  const word = await new Promise<Word>((resolve, reject) => {
    child.once('message', (message) => resolve(message as Word));
    child.once('error', reject);
    child.once('exit', (code) =>
      reject(
        supervisorError('INTERNAL_ERROR', {
          message: `The daemon ended with code ${code} before it answered.`,
          hint: `Its last words are in ${logFile}.`,
        }),
      ),
    );
    shutdown.signal.addEventListener('abort', onAbort, { once: true });
  });
  // The end of this command is no reason to end what it started.
  shutdown.signal.removeEventListener('abort', onAbort);
  if ('failed' in word) {
    const { code, ...details } = word.failed;
    const known = Object.hasOwn(FAILURES, code) ? (code as FailureCode) : 'INTERNAL_ERROR';
    throw new SupervisorError(createFailure(known, details));
  }
  if (child.connected) child.disconnect();
  child.unref();
  if (flags.json === true)
    await terminal.stdout.write(`${toJson({ pid: child.pid, log: logFile, ...word.started })}\n`);
  else {
    await createReport(terminal, flags).started(word.started);
    await terminal.stderr.write(`  ${terminal.stderr.style.dim('log'.padEnd(9))}${logFile}\n`);
  }
  return EXIT.ok;
}
