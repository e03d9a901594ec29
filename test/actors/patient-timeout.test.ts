import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { createPendingCalls } from '../../actors/mcp/pending-calls.ts';
import { setPatientTimeout } from '../../actors/patient-timeout.ts';

/** The event loop stands still for so many ms. */
function standStill(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

/** Something that has come while the loop stood still is read in its poll phase: here, the end of a file's reading. */
const arrived = () => import('node:fs/promises').then(({ readFile }) => readFile('/dev/null'));

afterEach(() => void vi.useRealTimers());

describe('a patient timeout', () => {
  test('that is in time runs its work at once', () => {
    vi.useFakeTimers();
    const work = vi.fn();
    setPatientTimeout(work, 1000);
    vi.advanceTimersByTime(999);
    expect(work).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(work).toHaveBeenCalledOnce();
  });

  test('that is late lets what has arrived come first', async () => {
    const order: string[] = [];
    const done = new Promise<void>((resolve) => {
      setPatientTimeout(() => resolve(void order.push('timeout')), 20);
    });
    const read = arrived().then(() => order.push('read'));
    standStill(200);
    await Promise.all([done, read]);
    expect(order).toEqual(['read', 'timeout']);
  });

  test('can be cancelled, also once it was late', async () => {
    const work = vi.fn();
    const timeout = setPatientTimeout(work, 10);
    standStill(150);
    await new Promise(setImmediate);
    timeout.cancel();
    await delay(300);
    expect(work).not.toHaveBeenCalled();
  });
});

describe('pending calls', () => {
  test('are given up in time when nothing stood still', () => {
    vi.useFakeTimers();
    const reject = vi.fn();
    createPendingCalls(() => {}).open('tools/call', { timeout: 1000 }, () => {}, reject);
    vi.advanceTimersByTime(1001);
    expect(reject).toHaveBeenCalledOnce();
  });

  test('whose answer arrived while the loop stood still are not given up, the others are', async () => {
    const abandoned = vi.fn();
    const calls = createPendingCalls(abandoned);
    const settled = (label: string) =>
      new Promise<string>((resolve) => {
        const { id } = calls.open(
          label,
          { timeout: 20 },
          () => {},
          () => resolve(`${label} given up`),
        );
        if (label === 'answered') void arrived().then(() => calls.take(id) && resolve('answered in time'));
      });
    const both = [settled('answered'), settled('silent')];
    standStill(200);
    expect(await Promise.all(both)).toEqual(['answered in time', 'silent given up']);
    expect(abandoned).toHaveBeenCalledOnce();
  });
});
