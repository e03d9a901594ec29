import type { LaunchPlan } from '../../launchers/plan.ts';
import type { ProcessHandle } from '../context.ts';
import { type PortTaken, readPortTaken } from './port-taken.ts';

/** What frameworks print when they listen (reference: uvicorn, Express, Fastify, Spring, Flask, gunicorn, ASP.NET …). */
const LISTENING =
  /\b(?:listening|running|started|serving|available|ready)\b[^\n]{0,60}?\b(?:on|at)\b|development server at|Local:\s+http/i;

/** Behind an address, or behind one of these words. */
const PORT = /(?::|\bport\W{1,3}|\b(?:on|at)\s)(\d{2,5})\b(?![.:])/i;

export interface Listening {
  readonly port: number | null;
}

/** What a program's output said while it was probed. */
export interface Lines {
  /** It said that it listens, and at which port as far as its words tell; null when it did not say so. */
  readonly saysListening: () => Listening | null;
  /** It said that its port is taken, the last time that it did. */
  readonly saysPortTaken: () => PortTaken | null;
  stop(): void;
}

export function watchLines(process: ProcessHandle, plan: LaunchPlan): Lines {
  const pattern = plan.readyPattern === null ? LISTENING : toRegExp(plan.readyPattern);
  let listening: Listening | null = null;
  let taken: PortTaken | null = null;
  const read = (line: string) => {
    if (pattern.test(line) && (listening?.port ?? null) === null) listening = { port: portOf(line) };
    taken = readPortTaken(line) ?? taken;
  };
  const stop = process.onLine(read);
  return { saysListening: () => listening, saysPortTaken: () => taken, stop };
}

function portOf(line: string): number | null {
  const port = Number(PORT.exec(line)?.[1] ?? 0);
  return port > 0 && port < 65536 ? port : null;
}

/** A pattern that is none is taken literally: a manifest's mistake must not end a start. */
function toRegExp(pattern: string): RegExp {
  try {
    return new RegExp(pattern);
  } catch {
    return new RegExp(pattern.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'));
  }
}
