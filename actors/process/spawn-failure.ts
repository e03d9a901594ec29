import { existsSync } from 'node:fs';
import { createFailure, type Failure } from '../../machines/failure.ts';
import type { ResolvedCommand } from './command.ts';

/** These pass by themselves; another program or another permission doesn't. */
const EXHAUSTED = new Set(['EMFILE', 'ENFILE', 'EAGAIN', 'ENOMEM']);

export const isExhausted = ({ code }: { readonly code?: string | undefined }): boolean => EXHAUSTED.has(code ?? '');

/** LAUNCH_SPAWN for what spawn reported, in words that name the thing to mend. */
export function spawnFailure(
  error: { readonly code?: string | undefined; readonly message?: string },
  command: Pick<ResolvedCommand, 'program' | 'cwd'>,
  generation: number | null,
): Failure {
  const code = error.code ?? error.message ?? 'unknown';
  const failure = createFailure('LAUNCH_SPAWN', {
    generation,
    message: messageOf(code, command),
    data: { program: command.program, error: code },
    ...(EXHAUSTED.has(code) && { hint: 'Free some processes, open files or memory (ulimit -a), then try again.' }),
  });
  return EXHAUSTED.has(code) ? { ...failure, retryable: true } : failure;
}

function messageOf(code: string, { program, cwd }: Pick<ResolvedCommand, 'program' | 'cwd'>): string {
  if (EXHAUSTED.has(code)) return `the system is out of processes, open files or memory (${code}): ${program}`;
  if (!existsSync(cwd)) return `the working folder does not exist: ${cwd}`;
  switch (code) {
    case 'ENOENT':
      if (!program.includes('/')) return `program not found on the PATH: ${program}`;
      return existsSync(program)
        ? `the interpreter that the first line of ${program} names does not exist`
        : `program not found: ${program}`;
    case 'EACCES':
      return `not executable: ${program}`;
    case 'ENOEXEC':
      return `not a program for this machine: ${program}`;
    default:
      return `could not be started (${code}): ${program}`;
  }
}
