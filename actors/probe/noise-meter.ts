import type { Noise } from '../context.ts';
import { printsCause, recognisedCause } from './noise-cause.ts';

export interface NoiseMeter extends Noise {
  /** Counts a line of stdout that is no message. */
  count(line: string): void;
  /** The program is to speak by its stdout, that is known: from now on too much noise is worth a warning. */
  confirm(): void;
  /** The program does speak by its stdout. */
  answered(): void;
}

export interface NoiseMeterParts {
  readonly runtime: string;
  /** Takes secrets out of a line that is kept. */
  readonly redact: (line: string) => string;
  /** Called once, with the first line over the limit. */
  readonly tooMuch: (noise: Noise) => void;
}

/** A banner is none of anyone's business; a program that goes on like that will hide its own messages one day. */
const LIMIT = 100;
/** Enough to see what they are. */
const KEPT = 20;
const KEPT_LENGTH = 500;

export function createNoiseMeter({ runtime, redact, tooMuch }: NoiseMeterParts): NoiseMeter {
  const first: string[] = [];
  let lines = 0;
  let confirmed = false;
  let told = false;
  let alone = true;

  const tell = () => {
    if (told || !confirmed || lines <= LIMIT) return;
    told = true;
    tooMuch(meter);
  };

  const meter: NoiseMeter = {
    get lines() {
      return lines;
    },
    get alone() {
      return alone;
    },
    first,
    get cause() {
      return recognisedCause(first) ?? (lines > LIMIT ? printsCause(runtime) : null);
    },
    count(line) {
      if (line.trim() === '') return;
      lines += 1;
      if (first.length < KEPT) first.push(redact(line).slice(0, KEPT_LENGTH));
      tell();
    },
    confirm() {
      confirmed = true;
      tell();
    },
    answered() {
      alone = false;
      meter.confirm();
    },
  };
  return meter;
}
