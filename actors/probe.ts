import { type CallbackActorLogic, fromCallback } from 'xstate';
import type { ProbeActor, ProbeEvent, ProbeInput } from '../machines/contracts.ts';
import { createFailure, type Failure } from '../machines/failure.ts';
import type { ActorContext, Instance } from './context.ts';
import { failureOf } from './failure-error.ts';
import { looksLikeMessage } from './mcp/json-rpc.ts';
import { ASK_ANYTHING } from './mcp/meta.ts';
import type { Search } from './probe/endpoints.ts';
import { watchLines } from './probe/lines.ts';
import { probeNetwork, type Verdict } from './probe/network.ts';
import { createNoiseMeter } from './probe/noise-meter.ts';
import { remember } from './probe/remember.ts';
import { probeRemote } from './probe/remote.ts';
import { probeStdio } from './probe/stdio.ts';

type Logic = CallbackActorLogic<{ readonly type: 'probe.none' }, ProbeInput>;

/** Longest line of stdout that is kept for the log. */
const MAX_LOG_LINE = 64 * 1024;

/**
 * Finds out how a running plugin speaks and opens its session: transport, era, endpoint and catalog. Sends `probe.ready`
 * or `probe.failed`, once; a program that stays silent, or ends, makes it send neither: deadlines are the machine's and
 * exits the process actor's. Leaving the state stops the search; a session that was found lives on.
 */
export function createProbeActor(context: ActorContext): ProbeActor {
  const logic: Logic = fromCallback(({ input, sendBack }) => {
    const abort = new AbortController();
    const tell = (event: ProbeEvent) => {
      if (!abort.signal.aborted) sendBack(event);
    };
    probe(context, input, abort.signal, tell).then(tell, (thrown) =>
      tell(failed(input, failureOf(thrown, internalError), null)),
    );
    return () => abort.abort();
  });
  return logic;
}

const internalError = (error: Error): Failure =>
  createFailure('INTERNAL_ERROR', { message: `probe broke: ${error.message}`, data: { stack: error.stack } });

const failed = (
  { generation }: ProbeInput,
  failure: Failure,
  retry: (ProbeEvent & { type: 'probe.failed' })['retry'],
): ProbeEvent => ({ type: 'probe.failed', generation, failure: { ...failure, generation }, retry });

async function probe(
  context: ActorContext,
  input: ProbeInput,
  signal: AbortSignal,
  tell: (event: ProbeEvent) => void,
): Promise<ProbeEvent> {
  const instance = instanceOf(context, input);
  const { generation } = input;
  const listening = (port: number | null) => tell({ type: 'probe.listening', generation, port });
  const verdict = await race(context, input, instance, signal, listening);
  if (verdict.kind === 'failed') {
    const { failure } = verdict;
    const stderrTail = failure.stderrTail.length > 0 ? failure.stderrTail : instance.process.stderrTail().slice(-20);
    return failed(input, { ...failure, stderrTail }, verdict.retry);
  }
  const { found } = verdict;
  if (instance.process.remote === undefined) await remember(context, input, found);
  if (signal.aborted) {
    found.session.close(createFailure('CALL_CANCELLED'));
    signal.throwIfAborted();
  }
  instance.session = found.session;
  // Another transport's stdout is a log like any other.
  if (found.session.transport !== 'stdio') instance.noise = null;
  return {
    type: 'probe.ready',
    generation,
    transport: found.session.transport,
    era: found.session.era,
    protocolVersion: found.session.protocolVersion,
    port: found.port,
    tools: found.session.tools.length,
  };
}

function instanceOf(context: ActorContext, { plugin, generation }: ProbeInput): Instance {
  const instance = context.instances.get(plugin);
  if (instance?.generation === generation) return instance;
  throw new Error(`no process of ${plugin} generation ${generation}; there is ${instance?.generation ?? 'none'}`);
}

/** Both sides of the race, as far as the transport leaves it open; whoever is decided first ends the other. */
async function race(
  context: ActorContext,
  input: ProbeInput,
  instance: Instance,
  signal: AbortSignal,
  listening: Search['listening'],
): Promise<Verdict> {
  const { process } = instance;
  const { plan } = input.environment;
  const transport = input.attempt.transport === 'auto' ? plan.transport : input.attempt.transport;
  const lines = watchLines(process, plan);
  const { plugin, generation } = input;
  const meter = createNoiseMeter({
    runtime: plan.runtime,
    redact: process.redact,
    tooMuch: ({ cause, first }) => {
      const fields = { plugin, generation, hint: cause?.hint, first: first.slice(0, 3) };
      context.log.warn(fields, `more than 100 lines on stdout are no messages: ${cause?.detail}`);
    },
  });
  instance.noise = meter;
  if (transport === 'stdio') meter.confirm();
  const noise = (text: string) => {
    meter.count(text);
    // What can't be a message is logged by the process actor; this is what only looks like one.
    if (looksLikeMessage(text)) process.printed(process.redact(text).slice(0, MAX_LOG_LINE));
  };
  const answered = () => {
    meter.answered();
    networkOver.abort();
  };
  const over = new AbortController();
  const until = AbortSignal.any([signal, over.signal]);
  const networkOver = new AbortController();
  const capabilities = input.spec.clientCapabilities ?? (input.spec.interactive ? ASK_ANYTHING : null);
  const sole = input.spec.clientCapabilities !== undefined;
  const connecting = { process, limits: context.limits, capabilities, sole, log: context.log };
  const era = input.spec.protocol === 'auto' ? input.attempt.era : input.spec.protocol;
  const search: Search = {
    connecting,
    plan,
    transport,
    endpoint: input.attempt.endpoint ?? plan.endpoint,
    era,
    lines,
    listening,
    exposed: warnOnce(context, input),
    signal: AbortSignal.any([until, networkOver.signal]),
  };
  try {
    if (process.remote !== undefined) return await Promise.race([never(signal), probeRemote(search, process.remote)]);
    const sides: Promise<Verdict>[] = [never(signal)];
    if (transport === 'stdio' || transport === 'auto') {
      sides.push(probeStdio({ connecting, era, noise, signal: until, answered }));
    }
    if (transport !== 'stdio') sides.push(unlessAborted(networkOver.signal, probeNetwork(input, search)));
    const winner = await Promise.race(sides);
    for (const side of sides) side.then((verdict) => verdict !== winner && drop(verdict)).catch(() => {});
    return winner;
  } finally {
    over.abort();
    lines.stop();
  }
}

/** Once for each socket of a start. */
function warnOnce({ log }: ActorContext, { plugin, generation }: ProbeInput): Search['exposed'] {
  const told = new Set<number>();
  return ({ host, port }) => {
    if (told.has(port)) return;
    told.add(port);
    log.warn(
      { plugin, generation, host, port, hint: 'Make it listen on 127.0.0.1, or keep the port behind a firewall.' },
      `${plugin} listens on ${host}:${port}: others on the network can reach it.`,
    );
  };
}

/** Two sides can end in the same tick; the session that came second is not kept. */
const drop = (verdict: Verdict): void => {
  if (verdict.kind === 'found') verdict.found.session.close(createFailure('CALL_CANCELLED'));
};

/** Rejects when the state is left. */
const never = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });

/** A side that was called off never settles the race. */
const unlessAborted = (signal: AbortSignal, side: Promise<Verdict>): Promise<Verdict> =>
  side.catch((thrown) => {
    if (signal.aborted) return new Promise<never>(() => {});
    throw thrown;
  });
