import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { LegacySession } from '../../../src/gateway/mcp/transports/legacy-session.ts';
import { createSessionTable } from '../../../src/gateway/mcp/transports/session-table.ts';

const MINUTE = 60_000;

describe('the table of sessions', () => {
  beforeEach(() => {
    vi.useFakeTimers();
    ended.length = 0;
  });
  afterEach(() => void vi.useRealTimers());

  const ended: string[] = [];
  const session = (id: string, busy = false, principal = 'local') =>
    ({
      ...{ id, client: { principal }, isBusy: () => busy, seen: Date.now() },
      end: () => ended.push(id),
    }) as unknown as LegacySession;

  it('ends what was idle for too long, and nothing that is in use', () => {
    const table = createSessionTable({ max: 10, idle: 30 * MINUTE });
    const [quiet, busy, fresh] = [session('quiet'), session('busy', true), session('fresh')];
    for (const one of [quiet, busy, fresh]) table.add(one);
    vi.advanceTimersByTime(29 * MINUTE);
    expect(ended).toEqual([]);
    fresh.seen = Date.now();
    vi.advanceTimersByTime(3 * MINUTE);
    expect([ended, table.size]).toEqual([['quiet'], 2]);
    Object.assign(busy, { isBusy: () => false });
    vi.advanceTimersByTime(MINUTE);
    expect([ended, table.size]).toEqual([['quiet', 'busy'], 1]);
  });

  it('has no timer without sessions', () => {
    const table = createSessionTable({ max: 10, idle: 30 * MINUTE });
    const one = session('one');
    table.add(one);
    expect(vi.getTimerCount()).toBe(1);
    table.end(one, 'over');
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is full only when all are in use', () => {
    const table = createSessionTable({ max: 2, idle: 30 * MINUTE });
    table.add(session('a', true));
    table.add(session('b'));
    expect([table.add(session('c', true)), ended]).toEqual([true, ['b']]);
    expect(table.add(session('d'))).toBe(false);
  });

  it('makes room among the sessions of who has most', () => {
    const table = createSessionTable({ max: 3, idle: 30 * MINUTE });
    table.add(session('mine', false, 'me'));
    vi.advanceTimersByTime(MINUTE);
    for (const id of ['a', 'b', 'c', 'd']) table.add(session(id, false, 'greedy'));
    expect(ended).toEqual(['a', 'b']);
    table.add(session('mine too', false, 'me'));
    expect(ended).toEqual(['a', 'b', 'c']);
  });

  it('ends nobody’s session for one who has more, though all of those are in use', () => {
    const table = createSessionTable({ max: 3, idle: 30 * MINUTE });
    table.add(session('mine', false, 'me'));
    for (const id of ['a', 'b']) table.add(session(id, true, 'greedy'));
    expect([table.add(session('c', true, 'greedy')), ended]).toEqual([false, []]);
  });
});
