/**
 * A client's pipe, carried to the daemon byte by byte: the daemon speaks MCP on it as on a pipe of its own, in either era. Lines
 * are read along only to know what is open and what the session began with, for the day the daemon is started anew.
 */

import { request as httpRequest } from 'node:http';
import type { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { createLineReader } from '../../../actors/mcp/framing.ts';
import { supervisorError } from '../../errors.ts';
import { type DaemonClient, errorOf, findDaemon } from '../daemon/client.ts';
import { UPGRADE } from '../daemon/face.ts';
import { EXIT } from '../exit-codes.ts';
import type { CommandContext } from '../session.ts';
import { createBridgeMemory } from './bridge-memory.ts';

export interface BridgeParts {
  readonly daemon: DaemonClient;
  readonly home: string;
  readonly plugin: string | null;
  readonly profile: string | null;
}

/** A daemon that is started anew is back within this; milliseconds. */
const PATIENCE = 20_000;
const PAUSE = 100;
/** What neither side sends: the daemon refuses more than 16 MiB in words of its own. */
const LONGEST = 64 * 1024 * 1024;

/** Resolves when the client has ended and what was open is answered; HOME_NO_DAEMON when the daemon ends and stays away. */
export async function bridge(
  { daemon, home, plugin, profile }: BridgeParts,
  { shutdown, terminal }: CommandContext,
): Promise<number> {
  const { signal } = shutdown;
  const { stdin, stdout } = process;
  const memory = createBridgeMemory();
  let pipe: Duplex | null = null;
  let ended = false;
  /** What the client says while nobody listens. */
  let waiting: string[] = [];
  let finish = () => {};
  let fail: (error: unknown) => void = () => {};
  const over = new Promise<void>((resolve, reject) => {
    finish = resolve;
    fail = reject;
  });

  const fromClient = createLineReader(LONGEST, {
    line(text) {
      memory.sent(text);
      if (pipe === null) waiting.push(text);
      else if (!pipe.write(`${text}\n`)) stdin.pause();
    },
    oversized: () =>
      fail(supervisorError('CALL_TOO_LARGE', { message: 'The client sent a message of more than 64 MiB.' })),
  });
  stdout.on('drain', () => pipe?.resume());
  stdin.on('data', fromClient);
  stdin.on('end', () => {
    ended = true;
    // Without one yet, or for a moment: whoever attaches the next one ends it, behind all that the client said.
    pipe?.end();
  });
  signal.addEventListener('abort', () => finish(), { once: true });
  shutdown.own(async () => void pipe?.destroy());

  function attach(next: Duplex): void {
    pipe = next;
    const fromDaemon = createLineReader(LONGEST, {
      line(text) {
        if (memory.received(text) && !stdout.write(`${text}\n`)) next.pause();
      },
      oversized: () =>
        fail(supervisorError('CALL_TOO_LARGE', { message: 'The daemon sent a message of more than 64 MiB.' })),
    });
    next.on('data', fromDaemon);
    next.on('drain', () => stdin.resume());
    next.on('error', () => {});
    next.once('close', () => {
      pipe = null;
      if (ended || signal.aborted) return finish();
      // Whether they had an effect nobody knows: they are not asked again.
      for (const line of memory.lost()) stdout.write(`${line}\n`);
      stdin.resume();
      void terminal.stderr.write('The daemon is gone; waiting for the next one.\n');
      comeBack().catch(fail);
    });
    for (const line of memory.replay()) next.write(`${line}\n`);
    for (const line of waiting) next.write(`${line}\n`);
    waiting = [];
    for (const line of memory.news()) stdout.write(`${line}\n`);
    if (ended) next.end();
  }

  async function comeBack(): Promise<void> {
    const until = Date.now() + PATIENCE;
    while (!signal.aborted && !ended) {
      const found = await findDaemon(home, signal).catch(() => null);
      const next = found === null ? null : await openPipe(found, plugin, profile);
      if (next !== null) {
        void terminal.stderr.write('The next one is here.\n');
        return attach(next);
      }
      if (Date.now() > until)
        throw supervisorError('HOME_NO_DAEMON', { message: 'The daemon that served this client ended.' });
      await delay(PAUSE);
    }
    finish();
  }

  attach(await openPipe(daemon, plugin, profile));
  await over;
  return EXIT.ok;
}

/** Rejects with the daemon's own error: no such plugin, no such profile. */
function openPipe({ socketPath }: DaemonClient, plugin: string | null, profile: string | null): Promise<Duplex> {
  const query = new URLSearchParams({
    ...(plugin === null ? {} : { plugin }),
    ...(profile === null ? {} : { profile }),
  });
  return new Promise((resolve, reject) => {
    const request = httpRequest({
      socketPath,
      path: `/daemon/stdio?${query}`,
      headers: { host: 'localhost', connection: 'Upgrade', upgrade: UPGRADE },
    });
    request.once('upgrade', (_response, socket, head) => {
      if (head.length > 0) socket.unshift(head);
      resolve(socket);
    });
    request.once('response', (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.once('end', () => reject(errorOf(text, response.statusCode ?? 500)));
    });
    request.once('error', reject);
    request.end();
  });
}
