/** The streams of one command: what is a terminal, how wide, and whether colours are wanted. */

import { text as readAll } from 'node:stream/consumers';
import { printable } from '../printable.ts';

export interface Style {
  bold(text: string): string;
  dim(text: string): string;
  red(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
  cyan(text: string): string;
}

export interface Output {
  /** Resolves when the system has taken it; rejects when a result is lost. A reader that went away (`| head`) is no error. */
  write(text: string): Promise<void>;
  readonly isTerminal: boolean;
  /** Columns of the terminal; Infinity where there is none. */
  columns(): number;
  readonly style: Style;
}

export interface Terminal {
  /** Results, and nothing else. */
  readonly stdout: Output;
  /** Everything for a person: errors, progress, notes. */
  readonly stderr: Output;
  readStdin(): Promise<string>;
}

type Env = Readonly<Record<string, string | undefined>>;

/** Moves to the first column and erases the line (ECMA-48 §8.3.41): what was there, and the terminal's echo of Ctrl-C. */
export const CLEAR = '\r\u001b[2K';

/** SGR codes: on, off (ECMA-48 §8.3.117). */
const paint = (colours: boolean, on: number, off: number) => (text: string) =>
  colours && text !== '' ? `\u001b[${on}m${text}\u001b[${off}m` : text;

export const createStyle = (colours: boolean): Style => ({
  bold: paint(colours, 1, 22),
  dim: paint(colours, 2, 22),
  red: paint(colours, 31, 39),
  green: paint(colours, 32, 39),
  yellow: paint(colours, 33, 39),
  cyan: paint(colours, 36, 39),
});

/** A terminal that can neither colour nor go back in its line is treated as a pipe. */
function createOutput(stream: NodeJS.WriteStream, env: Env, mayBeLost: readonly string[] | 'always'): Output {
  const isTerminal = stream.isTTY === true && env.TERM !== 'dumb';
  return {
    isTerminal,
    columns: () => (isTerminal ? stream.columns || 80 : Number.POSITIVE_INFINITY),
    // https://no-color.org: set and not empty.
    style: createStyle(isTerminal && !env.NO_COLOR),
    write: (text) =>
      new Promise((resolve, reject) => {
        stream.write(text, (error: NodeJS.ErrnoException | null | undefined) => {
          if (!error || mayBeLost === 'always' || mayBeLost.includes(error.code ?? '')) resolve();
          else reject(error);
        });
      }),
  };
}

export const createTerminal = (process: NodeJS.Process): Terminal => ({
  stdout: createOutput(process.stdout, process.env, ['EPIPE', 'ERR_STREAM_DESTROYED']),
  stderr: createOutput(process.stderr, process.env, 'always'),
  readStdin: () => readAll(process.stdin),
});

/** Text of others: untouched in a pipe, where a program reads it; escaped where a person does. */
export const shown = (output: Output, text: string): string =>
  output.isTerminal ? printable(text.replaceAll('\r\n', '\n')) : text;
