/** A session with a fixture server of `fixtures/processes/mcp`, on the real process actor; ended by its harness. */

import type { ProcessHandle } from '../../../actors/context.ts';
import { connectStdio, handshake } from '../../../actors/mcp/connect.ts';
import type { ClientCapabilities } from '../../../actors/mcp/meta.ts';
import type { McpSession } from '../../../actors/mcp/session.ts';
import type { Harness, Run } from '../process-harness.ts';

export interface Opened {
  readonly session: McpSession;
  readonly process: ProcessHandle;
  readonly run: Run;
  /** Lines of stdout that were no message. */
  readonly noise: string[];
}

export async function openStdio(
  harness: Harness,
  server: string,
  capabilities: ClientCapabilities | null = null,
  sole = false,
): Promise<Opened> {
  const run = harness.run(['node', `mcp/${server}.mjs`], { plugin: server });
  run.send({ type: 'spawn' });
  await run.until('process.spawned');
  const process = run.handle();
  const noise: string[] = [];
  const { limits } = harness.context;
  const session = connectStdio({ process, limits, capabilities, sole }, (line) => noise.push(line));
  const { signal } = new AbortController();
  const outcome = await handshake(session, { era: 'auto', signal, timeout: 30_000 });
  if (!outcome.ok) throw new Error(outcome.failure.message);
  return { session, process, run, noise };
}
