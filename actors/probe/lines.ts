import type { LaunchPlan } from '../../launchers/plan.ts';
import type { ProcessHandle } from '../context.ts';
import { type PortTaken, readPortTaken } from './port-taken.ts';

/** What frameworks print when they listen (reference: uvicorn, Express, Fastify, Spring, Flask, gunicorn, ASP.NET …). */
const LISTENING =
  /\b(?:listening|running|started|serving|available|ready)\b[^\n]{0,60}?\b(?:on|at)\b|development server at|Local:\s+http/i;

/** What a program's output said while it was probed. */
export interface Lines {
  /** It said that it listens. */
  readonly saysListening: () => boolean;
  /** It said that its port is taken, the last time that it did. */
  readonly saysPortTaken: () => PortTaken | null;
  /** Takes a line that the process actor could not tell from protocol. */
  read(line: string): void;
  stop(): void;
}

export function watchLines(process: ProcessHandle, plan: LaunchPlan): Lines {
  const pattern = plan.readyPattern === null ? LISTENING : toRegExp(plan.readyPattern);
  let listening = false;
  let taken: PortTaken | null = null;
  const read = (line: string) => {
    listening ||= pattern.test(line);
    taken = readPortTaken(line) ?? taken;
  };
  const stop = process.onLine(read);
  return { saysListening: () => listening, saysPortTaken: () => taken, read, stop };
}

/** A pattern that is none is taken literally: a manifest's mistake must not end a start. */
function toRegExp(pattern: string): RegExp {
  try {
    return new RegExp(pattern);
  } catch {
    return new RegExp(pattern.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'));
  }
}
