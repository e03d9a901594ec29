import { SupervisorError, supervisorError } from '../errors.ts';
import { printable, printableLine } from '../printable.ts';
import { toJson } from './json.ts';
import type { Output } from './terminal.ts';

/** What was thrown, as the one shape that is printed; anything unexpected is a bug of ours, with its stack as a fact. */
export function asSupervisorError(thrown: unknown): SupervisorError {
  if (SupervisorError.is(thrown)) return thrown;
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const { code } = error as NodeJS.ErrnoException;
  // The only writes of this command line go to stdout: a full disk or a device that refuses is no bug.
  if (code === 'ENOSPC')
    return supervisorError('HOME_DISK_FULL', { message: `The result could not be written: ${error.message}` });
  return supervisorError('INTERNAL_ERROR', {
    message: `${error.name}: ${error.message}`,
    data: { stack: error.stack ?? '' },
  });
}

/** `{code, phase, message, hint, stderrTail, …}` on one line. */
export const errorAsJson = (error: SupervisorError): string => `${toJson(error)}\n`;

/**
 * ```
 * ✗ install failed · INSTALL_FAILED
 *   npm ci ended with code 1.
 *
 *     npm error 404 Not Found
 *
 *   → See the last lines of the installer above.
 * ```
 */
export function errorAsText(error: SupervisorError, { style }: Pick<Output, 'style'>): string {
  const lines = [
    `${style.red('✗')} ${style.bold(title(error))} ${style.dim(`· ${error.code}`)}`,
    ...indent(printable(error.message), '  '),
  ];
  const tail = error.stderrTail.map((line) => (line === '' ? '' : `    ${style.dim(printableLine(line))}`));
  if (tail.length > 0) lines.push('', ...tail, '');
  const { choices, stack } = error.data;
  if (Array.isArray(choices)) lines.push(...choices.map((choice) => `    --subdir ${printableLine(String(choice))}`));
  if (error.code === 'INTERNAL_ERROR' && typeof stack === 'string') {
    lines.push(...indent(printable(stack.split('\n').slice(1, 6).join('\n')), '  ').map(style.dim));
  }
  if (error.hint !== '') {
    const [first = '', ...rest] = printable(error.hint).split('\n');
    lines.push(`  ${style.cyan('→')} ${first}`, ...rest.map((line) => `    ${line}`));
  }
  return `${lines.join('\n')}\n`;
}

function title({ phase }: SupervisorError): string {
  if (phase === 'config') return 'wrong input';
  return phase === 'internal' ? 'internal error' : `${phase} failed`;
}

const indent = (text: string, by: string) => text.split('\n').map((line) => (line === '' ? '' : by + line));
