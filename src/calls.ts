/** The ways to talk to a plugin, all built on the broker: call, request, tools, open. */

import type { Log, Session } from '../actors/context.ts';
import { SessionError } from '../actors/mcp/session-error.ts';
import type { FailureCode } from '../machines/failure.ts';
import { type Broker, defaultBrokerTiming, type Exchange } from './broker.ts';
import { fromSession, SupervisorError, supervisorError } from './errors.ts';
import type { Meter } from './meter.ts';
import type { CallOptions, Link, Supervisor } from './options.ts';

/** Methods without an effect: sent again when their fate is unknown. */
const HARMLESS =
  /^(ping|tools\/list|resources\/(list|read|templates\/list)|prompts\/(list|get)|completion\/complete|server\/discover)$/;

/** `admit` throws for an unknown plugin and for a supervisor that is closing. */
export function createCalls(
  broker: Broker,
  admit: (name: string) => void,
  log: Log,
  meter: Pick<Meter, 'answered' | 'failed'>,
): Pick<Supervisor, 'call' | 'request' | 'tools' | 'open'> {
  /** Thrown into the reader of a connection, a listener's error would take the messages behind it along. */
  const guarded =
    <Argument>(name: string, listener: (argument: Argument) => void) =>
    (argument: Argument) => {
      try {
        listener(argument);
      } catch (error) {
        log.error({ plugin: name, err: error }, 'a listener threw');
      }
    };
  const guardedProgress = (name: string, { onProgress }: CallOptions) =>
    onProgress && { onProgress: guarded(name, onProgress) };

  async function exchange<T>(name: string, parts: Exchange<T>, options: CallOptions = {}): Promise<T> {
    admit(name);
    try {
      return await broker.exchange(name, parts, { ...options, ...guardedProgress(name, options) });
    } catch (error) {
      meter.failed(name, codeOf(error));
      throw error;
    }
  }

  const request: Supervisor['request'] = (name, method, params, options) =>
    exchange(
      name,
      {
        send: (session, requestOptions) => session.request(method, params, requestOptions),
        repeatable: () => HARMLESS.test(method),
      },
      options,
    );

  const callTool = (name: string, tool: string, args: unknown = {}, options?: CallOptions) =>
    exchange(
      name,
      {
        send: (session, requestOptions) =>
          session.era === null
            ? session.post({ tool, arguments: args }, requestOptions)
            : session.request('tools/call', { name: tool, arguments: args }, requestOptions),
        repeatable: (session) => mayRepeat(session, tool),
      },
      options,
    );

  function call(name: string, payload: Readonly<Record<string, unknown>>, options?: CallOptions): Promise<unknown> {
    // Who writes JavaScript may pass anything.
    if (typeof payload !== 'object' || payload === null) return Promise.reject(badPayload(name));
    if (typeof payload.tool === 'string') return callTool(name, payload.tool, payload.arguments, options);
    const { method, params } = payload;
    return exchange(
      name,
      {
        send(session, requestOptions) {
          if (session.era === null) return session.post(payload, requestOptions);
          if (typeof method === 'string') return session.request(method, params, requestOptions);
          throw badPayload(name);
        },
        repeatable: () => typeof method === 'string' && HARMLESS.test(method),
      },
      options,
    );
  }

  async function tools(name: string, options: CallOptions = {}) {
    admit(name);
    const { session, release } = await broker.hold(name, options);
    release();
    return session.tools;
  }

  async function open(name: string, options: CallOptions = {}): Promise<Link> {
    admit(name);
    const { session, release, begin } = await broker.hold(name, options);
    const { generation, transport, protocolVersion, server } = session;
    let end: (reason: null) => void = () => {};
    const ended = new Promise<null>((resolve) => {
      end = resolve;
    });
    const closed = Promise.race([session.closed, ended]);
    void closed.then(release);
    const listening = new Set<() => void>();
    return {
      plugin: name,
      generation,
      transport,
      protocolVersion,
      server,
      get tools() {
        return session.tools;
      },
      async request(method, params, requested = {}) {
        const { timeout = defaultBrokerTiming.call, signal } = requested;
        const hardTimeout = Math.max(timeout, defaultBrokerTiming.hardCall);
        const done = begin();
        const sent = performance.now();
        try {
          const result = await session.request(method, params, {
            timeout,
            hardTimeout,
            signal,
            onRequest: requested.onRequest,
            onNotification: requested.onNotification,
            ...guardedProgress(name, requested),
          });
          meter.answered(name, performance.now() - sent, result);
          return result;
        } catch (thrown) {
          const error = thrown instanceof SessionError ? fromSession(thrown, name) : thrown;
          meter.failed(name, codeOf(error));
          throw error;
        } finally {
          done();
        }
      },
      notify: (method, params) => session.notify(method, params),
      follow: (uris) => session.follow(uris),
      onMessage(listener) {
        const stop = session.onMessage(guarded(name, listener));
        listening.add(stop);
        return stop;
      },
      closed,
      close() {
        for (const stop of listening) stop();
        end(null);
      },
    };
  }

  return { call: call as Supervisor['call'], request, tools, open };
}

const codeOf = (error: unknown): FailureCode => (SupervisorError.is(error) ? error.code : 'INTERNAL_ERROR');

const badPayload = (name: string) =>
  supervisorError(
    'CALL_BAD_ARGUMENTS',
    {
      message: `The payload for ${name} must be {tool, arguments} or {method, params}; a plain HTTP plugin takes any object.`,
      data: { fate: 'not-sent' },
    },
    name,
  );

/** A tool that says so may be called again when nobody knows whether the first call had its effect. */
function mayRepeat(session: Session, tool: string): boolean {
  const annotations = session.tools.find(({ name }) => name === tool)?.annotations;
  return annotations?.readOnlyHint === true || annotations?.idempotentHint === true;
}
