import { describe, expect, test } from 'vitest';
import { createFailure } from '../../machines/failure.ts';
import {
  decideRestart,
  defaultRestartPolicy,
  noHistory,
  noteDown,
  noteLaunch,
  noteReady,
  type RestartHistory,
  timerDelay,
} from '../../machines/policy.ts';

const failure = createFailure('RUN_EXITED');
const crash = (history: RestartHistory, now: number) =>
  decideRestart(history, defaultRestartPolicy, { failure, restart: 'transient', now, random: 0.5 });

describe('the history', () => {
  test('takes the first ready of a start, not the way back from idle', () => {
    const ready = noteReady(noteLaunch(noHistory), 1_000);
    expect(noteReady(ready, 9_000)).toEqual(ready);
    expect(noteDown(ready, 5_000)).toMatchObject({ readyAt: null, readyFor: 4_000 });
  });

  test('of a start that never was ready says so', () => {
    expect(noteDown(noteLaunch({ ...noHistory, readyFor: 9_000 }), 5_000).readyFor).toBeNull();
  });

  test('forgets crashes that are older than the window', () => {
    const { history } = crash({ ...noHistory, crashes: [0, 1, 500_000] }, 600_001);
    expect(history.crashes).toEqual([500_000, 600_001]);
  });

  test('is plain JSON', () => {
    const { history } = crash(noteReady(noHistory, 1), 2);
    expect(JSON.parse(JSON.stringify(history))).toEqual(history);
  });
});

test('a clock that was set back does not lengthen a delay', () => {
  const history = noteDown(noteReady(noHistory, 1_000_000), 0);
  expect(crash(history, 0).decision).toEqual({ kind: 'retry', delay: 250 });
});

test('a delay fits the timers of Node', () => {
  expect([-5, 0, 7, 2 ** 31, Number.POSITIVE_INFINITY].map(timerDelay)).toEqual([0, 0, 7, 2 ** 31 - 1, 2 ** 31 - 1]);
});
