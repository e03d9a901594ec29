import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createActor, setup } from 'xstate';
import { FailureError } from '../../actors/failure-error.ts';
import { CANCEL_LIMIT, createJob } from '../../actors/job.ts';
import { createFailure } from '../../machines/failure.ts';

/** The job under a parent that records what it says. */
function start(work: (input: object, signal: AbortSignal) => Promise<unknown>) {
  const ended: unknown[] = [];
  const parent = setup({ actors: { job: createJob('clone', work) } }).createMachine({
    invoke: { id: 'job', src: 'job', input: {} },
    on: { 'job.ended': { actions: ({ event }) => ended.push(event.result) } },
  });
  const actor = createActor(parent);
  actor.start();
  return { ended, cancel: () => actor.getSnapshot().children.job?.send({ type: 'job.cancel' }) };
}

const flush = () => vi.advanceTimersByTimeAsync(0);

describe('a job', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('ends as done with the value of its work', async () => {
    const { ended } = start(async () => 'value');
    await flush();
    expect(ended).toEqual([{ status: 'done', value: 'value' }]);
  });

  it('ends as failed with the typed failure of its work, or as a bug of ours', async () => {
    const failure = createFailure('CLONE_AUTH');
    const typed = start(() => Promise.reject(new FailureError(failure)));
    const bug = start(() => Promise.reject(new TypeError('oops')));
    await flush();
    expect(typed.ended).toEqual([{ status: 'failed', failure }]);
    expect(bug.ended).toMatchObject([
      { status: 'failed', failure: { code: 'INTERNAL_ERROR', message: 'clone broke: oops' } },
    ]);
  });

  it('waits for cancelled work to settle before it ends', async () => {
    let settle: () => void = () => {};
    const { ended, cancel } = start(
      (_, signal) =>
        new Promise((_resolve, reject) => {
          settle = () => reject(signal.reason);
        }),
    );
    cancel();
    cancel();
    await vi.advanceTimersByTimeAsync(CANCEL_LIMIT - 1);
    expect(ended).toEqual([]);
    settle();
    await flush();
    expect(ended).toEqual([{ status: 'cancelled' }]);
  });

  it('gives up on cancelled work that hangs, and says so once', async () => {
    let settle: (value: string) => void = () => {};
    const { ended, cancel } = start(
      () =>
        new Promise<string>((resolve) => {
          settle = resolve;
        }),
    );
    cancel();
    await vi.advanceTimersByTimeAsync(CANCEL_LIMIT);
    expect(ended).toEqual([{ status: 'cancelled' }]);
    settle('late');
    await flush();
    expect(ended).toHaveLength(1);
  });
});
