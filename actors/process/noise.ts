import { createLineSplitter } from '../lines.ts';

export interface NoiseFilter {
  push(chunk: Buffer): void;
  end(): void;
}

const NEWLINE = 10;
/** The byte order mark too: .NET writes one before its first message. */
const BLANKS = new Set([9, NEWLINE, 13, 32, 0xef, 0xbb, 0xbf]);
/** `{` and `[`: what a JSON-RPC message starts with. */
const MESSAGE_STARTS = new Set([0x7b, 0x5b]);

/**
 * Lines of a stdio server's stdout that are no messages (banners, print statements), blank ones left out. A message is skipped by one search
 * for its newline and never copied, so the hot path pays next to nothing.
 */
export function createNoiseFilter(onLine: (line: string, continues: boolean) => void): NoiseFilter {
  const noise = createLineSplitter(onLine);
  let within: 'start' | 'message' | 'noise' = 'start';
  return {
    push: (chunk) => {
      let from = 0;
      while (from < chunk.length) {
        let begin = from;
        if (within === 'start') {
          for (; from < chunk.length && BLANKS.has(chunk[from]!); from += 1) {
            if (chunk[from] === NEWLINE) begin = from + 1;
          }
          if (from === chunk.length) return;
          within = MESSAGE_STARTS.has(chunk[from]!) ? 'message' : 'noise';
        }
        const newline = chunk.indexOf(NEWLINE, from);
        const end = newline === -1 ? chunk.length : newline + 1;
        if (within === 'noise') noise.push(chunk.subarray(begin, end));
        if (newline !== -1) within = 'start';
        from = end;
      }
    },
    end: () => noise.end(),
  };
}
