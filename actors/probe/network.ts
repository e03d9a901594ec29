/** The HTTP side of the race: wait for a socket that the plugin's own processes opened, then find out what it speaks. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Attempt, ProbeInput } from '../../machines/contracts.ts';
import { createFailure, type Failure } from '../../machines/failure.ts';
import type { ListenSocket, ProcessHandle } from '../context.ts';
import { exists } from '../exists.ts';
import type { HttpTarget } from '../mcp/http-client.ts';
import { type Found, findMcp, findPlainHttp, type Outcome, type Search } from './endpoints.ts';
import { portTakenFailure } from './port-taken.ts';

export type Verdict =
  | { readonly kind: 'found'; readonly found: Found }
  | { readonly kind: 'failed'; readonly failure: Failure; readonly retry: Partial<Attempt> | null };

/** All in milliseconds. */
const GRACE = 150;
const SOCKET_POLL = 50;
const MAX_SOCKET_POLL = 250;
const FAST_POLLS = 60;
const ROUND_DELAY = 100;
const MAX_ROUND_DELAY = 1000;
/** A stdio server may open a web page beside its protocol: with `auto`, only this much silence makes it plain HTTP. */
const STDIO_SILENCE = 3000;
/** A taken port is believed fatal when no socket follows: some programs then try the next port. */
const PORT_TAKEN_GRACE = 300;
const PORT_TAKEN_GRACE_AUTO = 1500;
/** Rounds after which a refusal is final: a server may refuse while it still loads. */
const FINAL_ROUND = 3;

interface Base extends HttpTarget {
  readonly port: number | null;
}

/** Rejects only when the signal is aborted (or by a bug); has no timeout of its own, the machine has the deadline. */
export async function probeNetwork(input: ProbeInput, search: Search): Promise<Verdict> {
  const { process } = search.connecting;
  const { signal } = search;
  const pause = (milliseconds: number) => sleep(milliseconds, undefined, { signal, ref: false });
  let polls = 0;
  let round = 0;
  let delay = ROUND_DELAY;
  let takenAt: number | null = null;
  let firstSocketAt: number | null = null;

  await pause(GRACE);
  for (;;) {
    const sockets = await openSockets(process, search);
    signal.throwIfAborted();
    for (const socket of sockets.filter(isExposed)) search.exposed(socket);
    const bases = toBases(sockets, process, search);
    if (bases.length === 0) {
      const taken = search.lines.saysPortTaken();
      if (taken !== null) takenAt ??= performance.now();
      const grace = search.transport === 'auto' ? PORT_TAKEN_GRACE_AUTO : PORT_TAKEN_GRACE;
      if (taken !== null && takenAt !== null && performance.now() - takenAt > grace) {
        return { kind: 'failed', ...(await portTakenFailure(taken, input, process)) };
      }
      polls += 1;
      await pause(polls < FAST_POLLS ? SOCKET_POLL : MAX_SOCKET_POLL);
      continue;
    }
    if (firstSocketAt === null) {
      firstSocketAt = performance.now();
      search.listening(bases[0]?.port ?? null);
    }
    const silentFor = performance.now() - firstSocketAt;
    for (const base of bases) {
      const outcome = await ask(base, search, round > 0 && silentFor > STDIO_SILENCE);
      if (outcome.kind === 'found' && signal.aborted) outcome.session.close(createFailure('CALL_CANCELLED'));
      signal.throwIfAborted();
      if (outcome.kind === 'found') {
        const { session, endpoint } = outcome;
        return { kind: 'found', found: { session, endpoint, port: base.port } };
      }
      const failure = round + 1 >= FINAL_ROUND ? finalFailure(outcome, search) : null;
      if (failure !== null) return { kind: 'failed', failure, retry: null };
    }
    round += 1;
    await pause(delay);
    delay = Math.min(delay * 1.5, MAX_ROUND_DELAY);
  }
}

async function ask(base: Base, search: Search, mayBePlain: boolean): Promise<Outcome> {
  if (search.transport === 'http') return findPlainHttp(base, search);
  const outcome = await findMcp(base, search);
  if (search.transport !== 'auto' || outcome.kind !== 'http' || !mayBePlain) return outcome;
  return findPlainHttp(base, search);
}

function finalFailure(outcome: Outcome, search: Search): Failure | null {
  if (outcome.kind === 'refused') return outcome.failure;
  if (search.transport === 'http' || outcome.kind !== 'http') return null;
  if (outcome.status !== 401 && outcome.status !== 403) return null;
  return createFailure('PROBE_PROTOCOL', {
    message: `The server wants a login (HTTP ${outcome.status}).`,
    hint: 'Pass the key or token that its documentation names with --env NAME=value.',
    data: { status: outcome.status },
  });
}

/**
 * Where the plugin's processes listen. The socket in its private folder is the plugin's as soon as it is there; where the
 * system doesn't tell who listens (no `lsof`), so is the port that the program names, or else that was handed over, once
 * it says that it listens.
 */
async function openSockets(process: ProcessHandle, { lines }: Search): Promise<readonly ListenSocket[]> {
  const { socketPath, leasedPort } = process;
  const handedOver = socketPath !== null && (await exists(socketPath)) ? [{ host: '', port: 0, path: socketPath }] : [];
  const listening = await process.listening();
  if (listening !== null) return [...handedOver, ...listening];
  const said = lines.saysListening();
  const port = lines.saysPortTaken() === null && said !== null ? (said.port ?? leasedPort) : null;
  return [...handedOver, ...(port === null ? [] : [{ host: '127.0.0.1', port, path: null }])];
}

/** Others on the network reach it: a plugin guards itself against none of them. */
const isExposed = ({ path, host }: ListenSocket): boolean => path === null && !/^(127\.|::1$)/.test(host);

/** Where to ask: the handed-over socket and port first, then whatever else the plugin's processes listen on. */
function toBases(sockets: readonly ListenSocket[], process: ProcessHandle, { plan }: Search): readonly Base[] {
  const { socketPath } = process;
  const unix: Base[] =
    socketPath !== null && sockets.some((socket) => socket.path === socketPath)
      ? [{ origin: 'http://localhost', socketPath, port: null }]
      : [];
  const rank = (port: number) => (port === process.leasedPort ? 0 : port === plan.port.fixed ? 1 : 2);
  const tcp = sockets
    .filter((socket) => socket.path === null && socket.port > 0)
    .sort((one, other) => rank(one.port) - rank(other.port) || one.port - other.port)
    .flatMap((socket) => hosts(socket.host).map((host) => ({ host, port: socket.port })))
    .map(({ host, port }) => ({ origin: `http://${host}:${port}`, socketPath: null, port }));
  // The engine listens for a container, and is no process of the plugin.
  const published: Base[] =
    plan.launcher === 'docker' && process.leasedPort !== null
      ? [{ origin: `http://127.0.0.1:${process.leasedPort}`, socketPath: null, port: process.leasedPort }]
      : [];
  const seen = new Set<string>();
  return [...unix, ...tcp, ...published].filter(({ origin }) => !seen.has(origin) && seen.add(origin));
}

/** Addresses that reach a listener; `::` mostly takes IPv4 too, and loopback names are what host checks let through. */
const hosts = (host: string): readonly string[] => {
  if (host === '' || host === '0.0.0.0') return ['127.0.0.1'];
  if (host === '::') return ['127.0.0.1', '[::1]'];
  return [host.includes(':') ? `[${host}]` : host];
};
