/**
 * `/events`: what happens to plugins, as server-sent events. `plugin:state`, `plugin:configured` and `plugin:removed` have ids
 * and can be had again (`Last-Event-ID`, as long as they are among the last ones kept); lines of output (`?logs=true`) are told
 * once. Whoever comes new, or was away for too long, gets an event `plugins` with the state of all first.
 */

import { randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { Supervisor } from '../../options.ts';
import { printable } from '../../printable.ts';
import { hintFor, statusFor } from '../hint.ts';
import { HttpError } from '../http/http-error.ts';
import type { Answer } from '../http/routes.ts';
import { isTrue } from './plugins.ts';

/** Events kept for those who were away. */
const KEPT = 1000;
/** Milliseconds between two signs of life: proxies end what is silent for a minute. */
const KEEP_ALIVE = 15_000;
/** Milliseconds after which a client that lost us comes back. */
const RETRY = 2000;
/** Bytes that may wait for a reader who is slow; then it is cut off and comes back for the rest. */
const MAX_WAITING = 1024 * 1024;

interface Kept {
  readonly number: number;
  readonly plugin: string;
  readonly frame: string;
}

interface Listener {
  readonly response: ServerResponse;
  readonly logs: boolean;
  wants(plugin: string): boolean;
}

export interface Events {
  readonly answer: Answer;
  close(): void;
}

export function createEvents(supervisor: Supervisor): Events {
  // Numbers start anew with us: an id of an earlier life must not be taken for one of this.
  const life = randomBytes(4).toString('hex');
  const kept: Kept[] = [];
  const listeners = new Set<Listener>();
  let number = 0;
  let closed = false;

  function write(listener: Listener, frame: string) {
    const { response } = listener;
    if (response.writableLength > MAX_WAITING) response.destroy();
    else response.write(frame);
  }
  function tell(event: string, plugin: string, data: unknown) {
    number += 1;
    const frame = `id: ${life}-${number}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
    kept.push({ number, plugin, frame });
    if (kept.length > KEPT) kept.shift();
    for (const listener of listeners) if (listener.wants(plugin)) write(listener, frame);
  }
  const stops = [
    supervisor.on('plugin:state', (change) => {
      const { plugin, failure } = change;
      const told = failure === null ? change : { ...change, failure: { ...failure, hint: hintFor(failure.hint) } };
      tell('plugin:state', plugin, told);
    }),
    supervisor.on('plugin:configured', (configured) => tell('plugin:configured', configured.plugin, configured)),
    supervisor.on('plugin:removed', (removed) => tell('plugin:removed', removed.plugin, removed)),
    supervisor.on('plugin:log', (line) => {
      let frame: string | null = null;
      for (const listener of listeners) {
        if (!listener.logs || !listener.wants(line.plugin)) continue;
        frame ??= `event: plugin:log\ndata: ${JSON.stringify({ ...line, text: printable(line.text) })}\n\n`;
        write(listener, frame);
      }
    }),
  ];
  const beat = setInterval(() => {
    for (const listener of listeners) write(listener, ':\n\n');
  }, KEEP_ALIVE);
  beat.unref();

  /** What was missed since that id; null when it isn't known. */
  function missed(lastId: string | undefined): readonly Kept[] | null {
    const found = lastId === undefined ? null : /^([0-9a-f]+)-(\d+)$/.exec(lastId);
    if (found === null || found[1] !== life) return null;
    const last = Number(found[2]);
    const oldest = kept[0]?.number ?? number + 1;
    return last > number || last + 1 < oldest ? null : kept.filter((event) => event.number > last);
  }

  return {
    answer({ request, response, query, principal: { view } }) {
      if (closed) throw new HttpError('HTTP_CLOSING', 'The gateway is closing.');
      // Its end would never be heard of.
      if (response.destroyed) return;
      const names = query
        .getAll('plugin')
        .flatMap((list) => list.split(','))
        .filter((name) => name !== '');
      const wants = (plugin: string) => view.hasPlugin(plugin) && (names.length === 0 || names.includes(plugin));
      response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'x-accel-buffering': 'no' });
      if (request.method === 'HEAD') return void response.end();
      const again = missed(request.headers['last-event-id']?.toString() ?? query.get('lastEventId') ?? undefined);
      response.write(`retry: ${RETRY}\n\n`);
      if (again === null) {
        const plugins = supervisor
          .status()
          .filter(({ name }) => wants(name))
          .map(statusFor);
        response.write(`id: ${life}-${number}\nevent: plugins\ndata: ${JSON.stringify({ plugins })}\n\n`);
      } else for (const { plugin, frame } of again) if (wants(plugin)) response.write(frame);
      const listener: Listener = { response, logs: isTrue(query.get('logs')), wants };
      listeners.add(listener);
      response.once('close', () => listeners.delete(listener));
    },
    close() {
      closed = true;
      clearInterval(beat);
      for (const stop of stops) stop();
      for (const { response } of listeners) response.end();
      listeners.clear();
    },
  };
}
