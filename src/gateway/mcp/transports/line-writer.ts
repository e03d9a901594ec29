import type { Writable } from 'node:stream';

/** Puts messages on a pipe, one per line. */
export interface LineWriter {
  /** An answer, a question: goes out in any case. */
  must(text: string): void;
  /** A notification: while the reader doesn't read, each is kept once, and only so many. */
  may(text: string): void;
  /** Resolves when all is written, or nothing can be. */
  flushed(): Promise<void>;
}

export interface LineWriterOptions {
  /** Bytes that the reader may leave unread before it counts as behind. */
  readonly maxUnread: number;
  /** The reader is behind, or has caught up. */
  onPressure(behind: boolean): void;
  /** The pipe is broken. */
  onBroken(): void;
}

/** Notifications that wait for a reader that is behind. */
const MOST_WAITING = 256;

export function createLineWriter(output: Writable, { maxUnread, onPressure, onBroken }: LineWriterOptions): LineWriter {
  const waiting = new Set<string>();
  let behind = false;
  let broken = false;

  const write = (text: string) => {
    if (broken) return;
    output.write(`${text}\n`);
    if (behind || output.writableLength <= maxUnread) return;
    behind = true;
    onPressure(true);
    output.once('drain', () => {
      behind = false;
      const texts = [...waiting];
      waiting.clear();
      for (const one of texts) write(one);
      onPressure(behind);
    });
  };
  const fail = () => {
    if (broken) return;
    broken = true;
    waiting.clear();
    onBroken();
  };
  // Stays for ever: an error of a pipe that nobody listens to ends the process.
  output.on('error', fail);
  output.once('close', fail);

  return {
    must: write,
    may: (text) => {
      if (!behind) write(text);
      else if (waiting.size < MOST_WAITING) waiting.add(text);
    },
    flushed: () =>
      new Promise((resolve) => {
        if (broken || output.writableLength === 0) return resolve();
        output.once('close', resolve);
        output.write('', () => resolve());
      }),
  };
}
