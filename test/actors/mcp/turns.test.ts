import { setImmediate as tick } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { createTurns, type Turn } from '../../../actors/mcp/turns.ts';

/** Calls by name, and the turns of those that were let go. */
function stage() {
  const turns = createTurns();
  const going = new Map<string, Turn>();
  const call = (name: string, caller?: string) =>
    turns.take({
      method: 'tools/call',
      options: caller === undefined ? {} : { caller },
      go: (turn) => going.set(name, turn),
      reject: (error) => {
        throw error;
      },
    });
  const turnOf = (name: string) => going.get(name) as Turn;
  return { call, turnOf, gone: () => [...going.keys()] };
}

test('calls go one after the other', () => {
  const { call, turnOf, gone } = stage();
  for (const name of ['a', 'b', 'c']) call(name, 'me');
  expect(gone()).toEqual(['a']);
  turnOf('a').over();
  expect(gone()).toEqual(['a', 'b']);
  turnOf('b').over();
  expect(gone()).toEqual(['a', 'b', 'c']);
});

test('while one waits for its client, those of the same caller go ahead and nobody else', async () => {
  const { call, turnOf, gone } = stage();
  call('asks', 'me');
  call('stranger', 'you');
  call('mine', 'me');
  call('nameless');
  turnOf('asks').rest();
  await vi.waitFor(() => expect(gone()).toEqual(['asks', 'mine']));
  expect(turnOf('asks').rests()).toBe(true);
  turnOf('mine').over();
  expect(gone()).toEqual(['asks', 'mine']);
  turnOf('asks').over();
  expect(gone()).toEqual(['asks', 'mine', 'stranger']);
});

test('the answer waits until whoever went ahead is through', async () => {
  const { call, turnOf, gone } = stage();
  call('asks', 'me');
  call('mine', 'me');
  turnOf('asks').rest();
  await vi.waitFor(() => expect(gone()).toEqual(['asks', 'mine']));
  const resumed = vi.fn();
  void turnOf('asks').resume().then(resumed);
  call('later', 'me');
  await tick();
  expect(resumed).not.toHaveBeenCalled();
  turnOf('mine').over();
  await tick();
  expect(resumed).toHaveBeenCalled();
  expect(turnOf('asks').rests()).toBe(false);
  expect(gone()).toEqual(['asks', 'mine']);
  turnOf('asks').over();
  expect(gone()).toEqual(['asks', 'mine', 'later']);
});

test('a call that ends while its answer waits lets the rest go', async () => {
  const { call, turnOf, gone } = stage();
  call('asks', 'me');
  call('mine', 'me');
  turnOf('asks').rest();
  await vi.waitFor(() => expect(gone()).toEqual(['asks', 'mine']));
  const resumed = turnOf('asks').resume();
  turnOf('asks').over();
  await resumed;
  call('stranger', 'you');
  turnOf('mine').over();
  expect(gone()).toEqual(['asks', 'mine', 'stranger']);
});
