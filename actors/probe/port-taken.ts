import { readdir, readFile, readlink } from 'node:fs/promises';
import type { Attempt } from '../../machines/contracts.ts';
import { createFailure, type Failure } from '../../machines/failure.ts';
import type { ProbeInput } from '../../machines/contracts.ts';
import type { ProcessHandle } from '../context.ts';

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
  const canLease = plan.port.fixed === null && (plan.port.env.length > 0 || plan.port.args.length > 0);
  const leaseWasStolen = port !== null && port === process.leasedPort;
  const details = { generation: input.generation, stderrTail: process.stderrTail() };
  const wanted = port ?? plan.port.fixed;
  const name = wanted === null ? 'A port' : `Port ${wanted}`;
  if (leaseWasStolen || (canLease && input.attempt.port === 'none')) {
    const message = `${name} that the program wanted is taken.`;
    return {
      failure: createFailure('LAUNCH_PORT_TAKEN', { ...details, message, data: { port: wanted } }),
      retry: { port: 'lease' },
    };
  }
  const holder = wanted === null ? null : await findHolder(wanted);
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

export interface PortHolder {
  readonly pid: number;
  readonly name: string;
}

const LISTEN = '0A';

/** The process that listens on a TCP port; null when it can't be told (another user's, or no /proc). */
export async function findHolder(port: number): Promise<PortHolder | null> {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  const tables = await Promise.all(
    ['/proc/net/tcp', '/proc/net/tcp6'].map((file) => readFile(file, 'utf8').catch(() => '')),
  );
  const inodes = new Set(
    tables
      .flatMap((table) => table.split('\n').map((row) => row.trim().split(/\s+/)))
      .filter((fields) => fields[3] === LISTEN && fields[1]?.endsWith(`:${hex}`))
      .map((fields) => `socket:[${fields[9]}]`),
  );
  if (inodes.size === 0) return null;
  for (const pid of await readdir('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    for (const fd of await readdir(`/proc/${pid}/fd`).catch(() => [])) {
      if (!inodes.has(await readlink(`/proc/${pid}/fd/${fd}`).catch(() => ''))) continue;
      const name = (await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => 'unknown')).trim();
      return { pid: Number(pid), name };
    }
  }
  return null;
}
