import type { Attempt, ProbeInput } from '../../machines/contracts.ts';
import { createFailure, type Failure } from '../../machines/failure.ts';
import type { ProcessHandle } from '../context.ts';
import { portHolder } from '../ports.ts';

const TAKEN = /EADDRINUSE|address (?:is )?already in use|AddrInUse|port \d+ is (?:already )?in use|WSAEADDRINUSE/i;
const PORT = /(?::|, ?|port:? )(\d{2,5})\b/gi;

export interface PortTaken {
  /** The port that the program wanted, as far as its words tell. */
  readonly port: number | null;
}

/** What a line says of a port that was taken; null when it says nothing of the kind. */
export function readPortTaken(line: string): PortTaken | null {
  if (!TAKEN.test(line)) return null;
  const ports = [...line.matchAll(PORT)].map((match) => Number(match[1])).filter((port) => port > 0 && port < 65536);
  return { port: ports.at(-1) ?? null };
}

/**
 * What a taken port means for the next start. A lease that somebody was quicker to bind is replaced by another one; a
 * program that wants a port of its own although it was given one can't be helped.
 */
export async function portTakenFailure(
  { port }: PortTaken,
  input: ProbeInput,
  process: ProcessHandle,
): Promise<{ readonly failure: Failure; readonly retry: Partial<Attempt> | null }> {
  const { plan } = input.environment;
  const { leasedPort } = process;
  const leaseWasStolen = port !== null && port === leasedPort;
  const details = { generation: input.generation, stderrTail: process.stderrTail() };
  const wanted = port ?? plan.port.fixed;
  const name = wanted === null ? 'A port' : `Port ${wanted}`;
  if (leaseWasStolen || (leasedPort === null && plan.port.fixed === null)) {
    const message = `${name} that the program wanted is taken.`;
    return {
      failure: createFailure('LAUNCH_PORT_TAKEN', { ...details, message, data: { port: wanted } }),
      retry: { port: 'lease' },
    };
  }
  const holder = wanted === null ? null : await portHolder(wanted);
  const by = holder === null ? 'another process' : `${holder.name} (pid ${holder.pid})`;
  return {
    failure: createFailure('LAUNCH_PORT_FIXED', {
      ...details,
      message: `${name} that the program insists on is held by ${by}.`,
      data: { port: wanted, holder },
    }),
    retry: null,
  };
}
