import { expect, test } from 'vitest';
import { emptyQueue, freeSlot, type Served, wantSlot } from '../../machines/slots.ts';

const after = (...changes: ((served: Served) => Served)[]) =>
  changes.reduce((served, change) => change(served), { queue: emptyQueue(1), granted: [] as readonly string[] });
const want =
  (plugin: string, urgent = false) =>
  ({ queue }: Served) =>
    wantSlot(queue, plugin, urgent);
const free =
  (plugin: string) =>
  ({ queue }: Served) =>
    freeSlot(queue, plugin);

test('a free slot is granted at once, a taken one when it is freed', () => {
  expect(after(want('a')).granted).toEqual(['a']);
  expect(after(want('a'), want('b')).granted).toEqual([]);
  expect(after(want('a'), want('b'), free('a')).granted).toEqual(['b']);
});

test('urgent ones are served first, each kind in order', () => {
  const queue = after(want('a'), want('b'), want('c', true), want('d', true));
  expect(after(() => queue, free('a')).granted).toEqual(['c']);
  expect(after(() => queue, free('a'), free('c')).granted).toEqual(['d']);
  expect(after(() => queue, free('a'), free('c'), free('d')).granted).toEqual(['b']);
});

test('asking again keeps the place and may make it urgent, never less so', () => {
  const { queue } = after(want('a'), want('b'), want('c'), want('c', true), want('c'));
  expect(queue.waiting).toEqual([
    { plugin: 'b', urgent: false },
    { plugin: 'c', urgent: true },
  ]);
});

test('a holder that asks is told again and holds one slot', () => {
  const { queue, granted } = after(want('a'), want('a'));
  expect(granted).toEqual(['a']);
  expect(queue.holders).toEqual(['a']);
});

test('freeing gives up a place in the queue too, and twice is harmless', () => {
  const served = after(want('a'), want('b'), free('b'), free('b'), free('a'));
  expect(served.queue).toEqual(emptyQueue(1));
});

test('there is always at least one slot', () => {
  expect(wantSlot(emptyQueue(0), 'a', false).granted).toEqual(['a']);
});
