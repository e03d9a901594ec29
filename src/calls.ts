/** The ways to talk to a plugin, all built on the broker: call, request, tools, open. */

import type { Log, RequestOptions, Session, ToolDescription } from '../actors/context.ts';
import { SessionError } from '../actors/mcp/session-error.ts';
import type { FailureCode } from '../machines/failure.ts';
import type { Broker, Exchange } from './broker.ts';
import { fromSession, SupervisorError, supervisorError, unknownTool } from './errors.ts';
import { bringsEnvelope, runInputRounds } from './input-rounds.ts';
import type { Meter } from './meter.ts';
import type { CallOptions, Link, Supervisor } from './options.ts';
import { visibleTools } from './tool-filter.ts';

/** A modern server asks by its results: they are answered here, unless the caller wants to see them (`bringsEnvelope`). */
function requestOf(session: Session, method: string, params: unknown, options: RequestOptions): Promise<unknown> {
  const { onRequest, signal } = options;
  if (session.era !== 'modern' || onRequest === undefined || bringsEnvelope(params)) {
    return session.request(method, params, options);
  }
  return runInputRounds(params, (what) => session.request(method, what, options), guardedAnswer(onRequest), signal);
}

/** What a caller's own answer fails with is the caller's, told as every error of ours. */
const guardedAnswer =
  (onRequest: NonNullable<RequestOptions['onRequest']>): typeof onRequest =>
  async (question) => {
    try {
      return await onRequest(question);
    } catch (error) {
      const message = `${question.method} was not answered: ${(error as Error)?.message ?? error}`;
      throw supervisorError('CALL_CANCELLED', { message, data: { fate: 'sent-unknown' } });
    }
  };

/** Methods without an effect: sent again when their fate is unknown. */
const HARMLESS =
  /^(ping|tools\/list|resources\/(list|read|templates\/list)|prompts\/(list|get)|completion\/complete|server\/discover)$/;

/** Which tools of a plugin there are, by its spec of this moment; null where all of them are. */
export type ToolsShown = (name: string) => ((tool: string) => boolean) | null;

/** `admit` throws for an unknown plugin and for a supervisor that is closing. */
export function createCalls(
  broker: Broker,
  admit: (name: string) => void,
  log: Log,
  meter: Pick<Meter, 'answered' | 'failed'>,
  shown: ToolsShown = () => null,
): Pick<Supervisor, 'call' | 'request' | 'tools' | 'open'> {
  /** What is hidden is as if it weren't there, for whoever asks and on whatever way. */
  function refuseHidden(name: string, tool: Called): void {
    if (tool === undefined) return;
    const shows = shown(name);
    if (shows !== null && (tool === null || !shows(tool))) throw unknownTool(name, tool ?? '');
  }
  const visible = (name: string, tools: readonly ToolDescription[]) => visibleTools(tools, shown(name));
  /** Any result; only a list of tools that names a hidden one becomes another one. */
  function withoutHidden(name: string, result: unknown): unknown {
    const tools = (result as { readonly tools?: unknown } | null | undefined)?.tools;
    if (!Array.isArray(tools)) return result;
    const rest = visible(name, tools);
    return rest === tools ? result : { ...(result as object), tools: rest };
  }

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

  async function exchange<T>(name: string, parts: Sending<T>, options: CallOptions = {}): Promise<T> {
    admit(name);
    try {
      // A call of a hidden tool starts nothing; `send` looks again, because while it waits its tool may be hidden.
      refuseHidden(name, parts.tool);
      return await broker.exchange(name, parts, { ...options, ...guardedProgress(name, options) });
    } catch (error) {
      meter.failed(name, codeOf(error));
      throw error;
    }
  }

  /** What may be said of a method, whatever carries it. */
  function byMethod(
    name: string,
    { method, params }: { readonly method?: unknown; readonly params?: unknown },
    send: Exchange<unknown>['send'],
    options: CallOptions | undefined,
  ): Promise<unknown> {
    const tool = toolIn(method, params);
    const result = exchange(
      name,
      {
        tool,
        send(session, requestOptions) {
          refuseHidden(name, tool);
          return send(session, requestOptions);
        },
        repeatable: (session) =>
          tool === undefined ? typeof method === 'string' && HARMLESS.test(method) : mayRepeat(session, tool),
      },
      options,
    );
    return method === 'tools/list' ? result.then((list) => withoutHidden(name, list)) : result;
  }

  const request: Supervisor['request'] = (name, method, params, options) =>
    byMethod(
      name,
      { method, params },
      (session, requestOptions) => requestOf(session, method, params, requestOptions),
      options,
    );

  const callTool = (name: string, tool: string, args: unknown = {}, options?: CallOptions) =>
    exchange(
      name,
      {
        tool,
        send(session, requestOptions) {
          refuseHidden(name, tool);
          return session.era === null && !session.tools.some(({ name: known }) => known === tool)
            ? session.post({ tool, arguments: args }, requestOptions)
            : requestOf(session, 'tools/call', { name: tool, arguments: args }, requestOptions);
        },
        repeatable: (session) => mayRepeat(session, tool),
      },
      options,
    );

  function call(name: string, payload: Readonly<Record<string, unknown>>, options?: CallOptions): Promise<unknown> {
    // Who writes JavaScript may pass anything.
    if (typeof payload !== 'object' || payload === null) return Promise.reject(badPayload(name));
    if (typeof payload.tool === 'string') return callTool(name, payload.tool, payload.arguments, options);
    const { method, params } = payload;
    const send: Exchange<unknown>['send'] = (session, requestOptions) => {
      if (session.era === null) {
        // It could be the request of a hidden tool in other words.
        if (visible(name, session.tools) !== session.tools) throw onlyTools(name);
        return session.post(payload, requestOptions);
      }
      if (typeof method === 'string') return requestOf(session, method, params, requestOptions);
      throw badPayload(name);
    };
    return byMethod(name, payload, send, options);
  }

  async function tools(name: string, options: CallOptions = {}) {
    admit(name);
    const { session, release } = await broker.hold(name, options);
    release();
    return visible(name, session.tools);
  }

  async function open(name: string, options: CallOptions = {}): Promise<Link> {
    admit(name);
    const { instance, session, release, begin } = await broker.hold(name, options);
    const { generation, transport, protocolVersion, server } = session;
    let end: (reason: null) => void = () => {};
    let isHeld = true;
    const letGo = () => {
      if (isHeld) release();
      isHeld = false;
    };
    const ended = new Promise<null>((resolve) => {
      end = resolve;
    });
    const closed = Promise.race([session.closed, ended]);
    void closed.then(letGo);
    const listening = new Set<() => void>();
    return {
      plugin: name,
      instance,
      generation,
      transport,
      protocolVersion,
      server,
      get tools() {
        return visible(name, session.tools);
      },
      async request(method, params, requested = {}) {
        const done = begin();
        const sent = performance.now();
        try {
          refuseHidden(name, toolIn(method, params));
          const requestOptions = broker.requestOptions(name, { ...requested, ...guardedProgress(name, requested) });
          const result = await requestOf(session, method, params, requestOptions);
          meter.answered(name, performance.now() - sent, result);
          return method === 'tools/list' ? withoutHidden(name, result) : result;
        } catch (thrown) {
          const error = thrown instanceof SessionError ? fromSession(thrown, name) : thrown;
          meter.failed(name, codeOf(error));
          throw error;
        } finally {
          done();
        }
      },
      notify: (method, params) => session.notify(method, params),
      follow: (uris) =>
        session.follow(uris).catch((thrown: unknown) => {
          throw thrown instanceof SessionError ? fromSession(thrown, name) : thrown;
        }),
      onMessage(listener) {
        const stop = session.onMessage(guarded(name, listener));
        listening.add(stop);
        return stop;
      },
      closed,
      close() {
        for (const stop of listening) stop();
        letGo();
        end(null);
      },
    };
  }

  return { call: call as Supervisor['call'], request, tools, open };
}

/** One request, whatever the session speaks. */
interface Sending<T> extends Exchange<T> {
  readonly tool: Called;
}

/** The tool that a request calls; null: its name is no text, which a plugin may still take for one (`['name']`). */
type Called = string | null | undefined;

function toolIn(method: unknown, params: unknown): Called {
  if (method !== 'tools/call') return undefined;
  const name = (params as { readonly name?: unknown } | null | undefined)?.name;
  return typeof name === 'string' ? name : null;
}

const onlyTools = (name: string) =>
  supervisorError(
    'CALL_BAD_ARGUMENTS',
    {
      message: `Some tools of ${name} are hidden, so it takes {tool, arguments} alone.`,
      data: { fate: 'not-sent' },
    },
    name,
  );

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
function mayRepeat(session: Session, tool: string | null): boolean {
  const annotations = session.tools.find(({ name }) => name === tool)?.annotations;
  return annotations?.readOnlyHint === true || annotations?.idempotentHint === true;
}
