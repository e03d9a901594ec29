import { createLineReader, type OversizedLine } from './framing.ts';

/** Server-sent events (WHATWG HTML, "event stream interpretation") as far as MCP uses them. */
export interface EventSink {
  event(type: string, data: string): void;
  /** Data longer than the limit went by. */
  oversized(data: OversizedLine): void;
}

export interface EventStreamReader {
  push(chunk: Buffer): void;
  /** Last `id:` seen, for `Last-Event-ID`; '' when there was none. */
  readonly lastEventId: () => string;
  /** Milliseconds of the last `retry:`; null when there was none. */
  readonly retry: () => number | null;
}

export function createEventStreamReader(limit: number, sink: EventSink): EventStreamReader {
  let type = '';
  let data: string[] = [];
  let size = 0;
  let lastEventId = '';
  let retry: number | null = null;

  const dispatch = () => {
    if (size > limit) sink.oversized({ head: data[0] ?? '', tail: '', bytes: size });
    else if (data.length > 0) sink.event(type === '' ? 'message' : type, data.join('\n'));
    type = '';
    data = [];
    size = 0;
  };

  const push = createLineReader(limit, {
    line(raw) {
      const text = raw.endsWith('\r') ? raw.slice(0, -1) : raw;
      const colon = text.indexOf(':');
      const field = colon === -1 ? text : text.slice(0, colon);
      const value = colon === -1 ? '' : text.slice(text[colon + 1] === ' ' ? colon + 2 : colon + 1);
      if (field === 'data') {
        // With the newline that joins it: empty lines, too, are kept.
        size += value.length + (size > 0 || data.length > 0 ? 1 : 0);
        if (size <= limit) data.push(value);
      } else if (field === 'event') type = value;
      else if (field === 'id') lastEventId = value;
      else if (field === 'retry' && /^\d+$/.test(value)) retry = Number(value);
      else if (text === '') dispatch();
    },
    blank: dispatch,
    oversized: ({ head, tail, bytes }) => sink.oversized({ head: head.replace(/^data: ?/, ''), tail, bytes }),
  });

  return { push, lastEventId: () => lastEventId, retry: () => retry };
}
