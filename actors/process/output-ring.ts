import type { OutputLine } from '../context.ts';
import { createLineRing } from '../lines.ts';

export interface OutputRing {
  push(stream: OutputLine['stream'], text: string): void;
  /** Lines of both streams in order, oldest first. */
  lines(): readonly string[];
  /** Lines of stderr; those of stdout where there is none of stderr, because some programs complain there. */
  tail(): readonly string[];
}

/** The last 1000 lines or 256 KiB of either stream. */
export function createOutputRing(): OutputRing {
  const errors = createLineRing();
  const prints = createLineRing();
  const all = createLineRing();
  return {
    push: (stream, text) => {
      (stream === 'stderr' ? errors : prints).push(text);
      all.push(text);
    },
    lines: all.lines,
    tail: () => {
      const lines = errors.lines();
      return lines.length > 0 ? lines : prints.lines();
    },
  };
}
