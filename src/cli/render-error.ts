import type { Setting } from '../../launchers/plan.ts';
import type { Failure } from '../../machines/failure.ts';
import { SupervisorError, supervisorError } from '../errors.ts';
import { SAID_NOTHING, saidNothing } from '../explain-status.ts';
import { printable, printableLine } from '../printable.ts';
import { toJson } from './json.ts';
import type { Output } from './terminal.ts';
import { wrap } from './wrap.ts';

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
 *   → Correct what the last lines of the installer name.
 * ```
 */
export function errorAsText(
  error: SupervisorError,
  { style, columns }: Pick<Output, 'style' | 'columns'>,
  /** Whose it is, where several are told. */
  name: string | null = null,
): string {
  const width = columns();
  const whose = name === null ? '' : `${printableLine(name)}: `;
  const lines = [
    `${style.red('✗')} ${style.bold(`${whose}${title(error)}`)} ${style.dim(`· ${error.code}`)}`,
    ...paragraph(withoutQuotes(error), '  ', width),
    ...(saidNothing(error) ? paragraph(SAID_NOTHING, '  ', width) : quoted(error.stderrTail, width)).map(style.dim),
    ...framesOf(error).map(style.dim),
    ...wantsOf(error, width),
  ];
  const [hint = '', ...rest] = paragraph(hintOf(error), '    ', width);
  if (hint !== '') lines.push(`  ${style.cyan('→')} ${hint.trimStart()}`, ...rest);
  return `${lines.join('\n')}\n`;
}

function title({ phase }: SupervisorError): string {
  if (phase === 'config') return 'wrong input';
  return phase === 'internal' ? 'internal error' : `${phase} failed`;
}

/**
 * A message quotes the line that tells most, for those who see nothing else: `It failed (“ENOENT”).`,
 * `It ended; its last words: “ENOENT”.` Where the lines themselves are shown, it would be said twice.
 */
export const withoutQuotes = ({ message, stderrTail }: Pick<Failure, 'message' | 'stderrTail'>): string =>
  stderrTail
    .map((line) => printable(line.trim()))
    .filter((line) => line !== '')
    .reduce(
      (text, line) =>
        [` (“${line}”)`, ` (${line})`, `; its last words: “${line}”`].reduce(
          (rest, quote) => rest.replace(quote, () => ''),
          text,
        ),
      printable(message),
    );

/** One option of this command line stands for all the timeouts that the library's words name. */
const hintOf = ({ hint }: SupervisorError) =>
  hint.replace(/\b([Rr])aise the (?:clone|install|start|call) timeout\b/, '$1aise --timeout');

/** Lines that are shown; --json has them all. */
const QUOTED_LINES = 10;

/** The last lines, set off by an empty one before and after. */
function quoted(tail: readonly string[], width: number): readonly string[] {
  const lines = tail.slice(-QUOTED_LINES).flatMap((line) => paragraph(printableLine(line), '    ', width));
  return lines.length === 0 ? [] : ['', ...lines, ''];
}

/** Most settings are of no concern to a first start. */
const SHOWN_SETTINGS = 8;

/** What a program that lacks a setting is known to read besides, what it requires first. */
function wantsOf({ code, message, data: { wants } }: SupervisorError, width: number): readonly string[] {
  if (code !== 'LAUNCH_NEEDS_SETTING' || !Array.isArray(wants)) return [];
  const settings = (wants as readonly Setting[]).filter(
    ({ name, required, secret }) => (required || secret) && !message.includes(name),
  );
  if (settings.length === 0) return [];
  const lines = settings.slice(0, SHOWN_SETTINGS).flatMap(({ name, required, description }) => {
    const kind = required ? 'required' : 'secret';
    return paragraph(
      `${name} (${kind})${description === undefined ? '' : ` ${description.split('\n')[0]}`}`,
      '    ',
      width,
    );
  });
  const more = settings.length - SHOWN_SETTINGS;
  return ['  It also reads:', ...lines, ...(more > 0 ? [`    … and ${more} more (detect shows all)`] : []), ''];
}

/** Where a bug of ours is: the first lines of its stack. */
function framesOf({ code, data: { stack } }: SupervisorError): readonly string[] {
  if (code !== 'INTERNAL_ERROR' || typeof stack !== 'string') return [];
  const frames = stack.split('\n').filter((line) => /^ +at /.test(line));
  return frames.slice(0, 5).map((line) => `  ${printableLine(line)}`);
}

/** Lines of a text, escaped and indented, broken between words where the terminal is narrower. */
const paragraph = (text: string, indent: string, columns: number): readonly string[] =>
  printable(text)
    .split('\n')
    .flatMap((line) => {
      const [first = '', ...words] = line.split(' ');
      return line === '' ? [''] : wrap([indent + first, ...words], columns, indent).split('\n');
    });
