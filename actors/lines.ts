/** Bounded views of endless output: lines of limited length, the last lines, the last bytes. */

export interface LineSplitter {
  push(chunk: Buffer): void;
  /** Hands over what has no newline yet. */
  end(): void;
}

/** Longest line that is handed over whole, in bytes; a longer one comes in pieces (as hashicorp/go-plugin does). */
const MAX_LINE = 64 * 1024;

/**
 * Splits chunks into lines without `\n` or `\r\n`. Lines are decoded whole, so that UTF-8 split over chunks survives.
 * `continues`: what is handed over next belongs to the same line.
 */
export function createLineSplitter(
  onLine: (line: string, continues: boolean) => void,
  maxLine = MAX_LINE,
): LineSplitter {
  let parts: Buffer[] = [];
  let held = 0;

  const flush = (continues = false) => {
    const line = Buffer.concat(parts, held);
    parts = [];
    held = 0;
    const isTerminated = !continues && line.at(-1) === CARRIAGE_RETURN;
    onLine(line.toString('utf8', 0, isTerminated ? line.length - 1 : line.length), continues);
  };

  const hold = (part: Buffer) => {
    let rest = part;
    while (held + rest.length > maxLine) {
      const cut = characterStart(rest, maxLine - held);
      parts.push(rest.subarray(0, cut));
      held += cut;
      flush(true);
      rest = rest.subarray(cut);
    }
    if (rest.length === 0) return;
    // A copy: a slice would keep the whole chunk in memory until the line ends.
    parts.push(Buffer.from(rest));
    held += rest.length;
  };

  return {
    push: (chunk) => {
      let from = 0;
      for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, from)) {
        hold(chunk.subarray(from, end));
        flush();
        from = end + 1;
      }
      hold(chunk.subarray(from));
    },
    end: () => {
      if (held > 0) flush();
    },
  };
}

export interface LineRing {
  push(line: string): void;
  /** Oldest first. */
  lines(): readonly string[];
}

/** Keeps the last lines; defaults 1000 lines or 256 KiB, whichever is less. */
export function createLineRing({ maxLines = 1000, maxBytes = 256 * 1024 } = {}): LineRing {
  const kept: string[] = [];
  let bytes = 0;
  return {
    push: (line) => {
      kept.push(line);
      bytes += Buffer.byteLength(line);
      while (kept.length > maxLines || (bytes > maxBytes && kept.length > 1)) bytes -= Buffer.byteLength(kept.shift()!);
    },
    lines: () => [...kept],
  };
}

export interface ByteTail {
  push(chunk: Buffer): void;
  /** The last bytes as UTF-8, from the start of a character. */
  text(): string;
}

/** Keeps the last `maxBytes` of a stream. */
export function createByteTail(maxBytes: number): ByteTail {
  const chunks: Buffer[] = [];
  let bytes = 0;
  return {
    push: (chunk) => {
      chunks.push(chunk);
      bytes += chunk.length;
      while (bytes - chunks[0]!.length >= maxBytes) bytes -= chunks.shift()!.length;
    },
    text: () => {
      const all = Buffer.concat(chunks, bytes);
      let from = Math.max(0, bytes - maxBytes);
      while (from > 0 && isContinuation(all[from])) from += 1;
      return all.toString('utf8', from);
    },
  };
}

const NEWLINE = 10;
const CARRIAGE_RETURN = 13;

const isContinuation = (byte: number | undefined) => byte !== undefined && (byte & 0xc0) === 0x80;

/** The last place at or before `at` where a UTF-8 character starts; `at` itself where there is none nearby (not UTF-8). */
function characterStart(bytes: Buffer, at: number): number {
  for (let back = 0; back < 4 && at - back > 0; back += 1) {
    if (!isContinuation(bytes[at - back])) return at - back;
  }
  return at;
}
