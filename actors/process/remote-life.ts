/** A plugin that runs elsewhere: what there is of it here are its connections, and no process at all. */

import type { ProcessEvent, ProcessInput } from '../../machines/contracts.ts';
import { createFailure } from '../../machines/failure.ts';
import type { ActorContext, ProcessHandle, Remote } from '../context.ts';
import { failureOf } from '../failure-error.ts';
import { CLIENT_INFO } from '../mcp/meta.ts';
import { createRedactor } from '../redact.ts';
import { createConnections } from './connections.ts';
import type { Life } from './life.ts';
import { prepareRemote } from './prepare-remote.ts';

/** Milliseconds in which servers are told good-bye before every connection is cut. */
const GOODBYE = 1000;

/**
 * Obeys as every life does. Nothing of it could outlive us, so `group.empty` follows the first command to end, as soon as its
 * sessions have said good-bye, and it never exits by itself: a session that is lost is all that can happen.
 */
export function createRemoteLife(
  context: ActorContext,
  input: ProcessInput,
  send: (event: ProcessEvent) => void,
): Life {
  const { plugin, generation } = input;
  let phase: 'new' | 'starting' | 'running' | 'ending' | 'over' = 'new';
  let asked = false;
  let handle: ProcessHandle | null = null;
  const connections = createConnections();

  const start = async () => {
    phase = 'starting';
    try {
      const { url, headers, secrets, refreshes } = await prepareRemote(context, input);
      if (asked) return finish();
      const remote: Remote = {
        url,
        headers: { 'user-agent': `${CLIENT_INFO.name}/${CLIENT_INFO.version}`, ...headers },
        refreshes,
        connect: () => connections.open(context.callerEnv),
        ended: connections.ended,
      };
      handle = createRemoteHandle(plugin, generation, remote, createRedactor(secrets));
      context.instances.set(plugin, { generation, process: handle, session: null, noise: null });
      phase = 'running';
      send({ type: 'process.spawned', generation, pid: null });
    } catch (thrown) {
      const failure = failureOf(thrown, (error) =>
        createFailure('INTERNAL_ERROR', { message: `the address could not be prepared: ${error.message}` }),
      );
      send({ type: 'process.failed', generation, failure: { ...failure, generation } });
      finish();
    }
  };

  const finish = () => {
    if (phase === 'over') return;
    phase = 'over';
    connections.cut();
    if (context.instances.get(plugin)?.process === handle) context.instances.delete(plugin);
    send({ type: 'group.empty', generation });
  };

  return {
    obey(command) {
      if (command.type === 'spawn') {
        if (phase === 'new') void start();
        return;
      }
      asked = true;
      const isForced = command.type === 'sweep' || command.type === 'abandon' || isKill(command);
      if (phase === 'over') {
        if (command.type === 'sweep') send({ type: 'group.empty', generation });
      } else if (phase === 'new' || (isForced && phase !== 'starting')) finish();
      else if (phase === 'running') {
        phase = 'ending';
        void connections.end(GOODBYE).then(finish);
      }
    },
    discard() {
      asked = true;
      if (phase === 'running' || phase === 'ending') finish();
    },
  };
}

const isKill = (command: { readonly type: string; readonly signal?: string }): boolean =>
  command.type === 'signal' && command.signal === 'SIGKILL';

function createRemoteHandle(
  plugin: string,
  generation: number,
  remote: Remote,
  redact: (text: string) => string,
): ProcessHandle {
  return {
    plugin,
    generation,
    remote,
    redact,
    pid: null,
    leasedPort: null,
    socketPath: null,
    write: () => false,
    writeBacklog: () => 0,
    readStdout: () => {},
    printed: () => {},
    onLine: () => () => {},
    stderrTail: () => [],
    pids: () => [],
    listening: async () => [],
    exited: new Promise<never>(() => {}),
  };
}
