/** Queues for the rationed kinds of work. Pure: who asks, who is served next. */

export interface SlotQueue {
  /** How many may hold the slot at once. */
  readonly width: number;
  readonly holders: readonly string[];
  readonly waiting: readonly { readonly plugin: string; readonly urgent: boolean }[];
}

export interface Served {
  readonly queue: SlotQueue;
  /** Plugins to be told that the slot is theirs now. */
  readonly granted: readonly string[];
}

export const emptyQueue = (width: number): SlotQueue => ({ width: Math.max(1, width), holders: [], waiting: [] });

/** Urgent ones first, each kind in order of asking; at most `budget` of them now. */
export function serveSlots(queue: SlotQueue, budget: number): Served {
  const next = queue.waiting.find(({ urgent }) => urgent) ?? queue.waiting[0];
  if (next === undefined || budget <= 0 || queue.holders.length >= queue.width) return { queue, granted: [] };
  const holders = [...queue.holders, next.plugin];
  const waiting = queue.waiting.filter((each) => each !== next);
  const rest = serveSlots({ ...queue, holders, waiting }, budget - 1);
  return { queue: rest.queue, granted: [next.plugin, ...rest.granted] };
}

/** Asking again only makes the wait more urgent; a holder is told again. */
export function wantSlot(queue: SlotQueue, plugin: string, urgent: boolean, budget = Number.POSITIVE_INFINITY): Served {
  if (queue.holders.includes(plugin)) return { queue, granted: [plugin] };
  const known = queue.waiting.some((each) => each.plugin === plugin);
  const waiting = known
    ? queue.waiting.map((each) => (each.plugin === plugin ? { plugin, urgent: urgent || each.urgent } : each))
    : [...queue.waiting, { plugin, urgent }];
  return serveSlots({ ...queue, waiting }, budget);
}

/** Gives back a slot, or a place in the queue. */
export function freeSlot(queue: SlotQueue, plugin: string, budget = Number.POSITIVE_INFINITY): Served {
  const holders = queue.holders.filter((holder) => holder !== plugin);
  const waiting = queue.waiting.filter((each) => each.plugin !== plugin);
  return serveSlots({ ...queue, holders, waiting }, budget);
}
