import { fromCallback } from 'xstate';
import type { JobCommand, JobEnded, JobResult } from '../machines/contracts.ts';
import { createFailure } from '../machines/failure.ts';
import { failureOf } from './failure-error.ts';

/**
 * Milliseconds that cancelled work may take to settle. Ending a process group takes at most 4 s; what takes longer hangs in
 * a call to the file system that nothing can cancel, and must not keep a stop or a close from ending. What it leaves in
 * the home's temp folder is swept by a later start.
 */
export const CANCEL_LIMIT = 10_000;

/**
 * A clone, detect or install actor around a promise: sends `job.ended` exactly once, after the work has settled (its
 * processes gone, its temp folders removed: that is the work's duty). `job.cancel`, and leaving the state, abort the
 * signal; whatever the work then does, the job ends as cancelled unless it had finished.
 */
export function createJob<Input extends object, Value>(
  job: JobEnded['job'],
  work: (input: Input, signal: AbortSignal) => Promise<Value>,
) {
  return fromCallback<JobCommand, Input>(({ input, sendBack, receive }) => {
    const abort = new AbortController();
    let limit: NodeJS.Timeout | undefined;
    let ended = false;
    const end = (result: JobResult<Value>) => {
      clearTimeout(limit);
      if (ended) return;
      ended = true;
      sendBack({ type: 'job.ended', job, result });
    };
    receive(() => {
      if (abort.signal.aborted) return;
      limit = setTimeout(() => end({ status: 'cancelled' }), CANCEL_LIMIT);
      abort.abort();
    });
    work(input, abort.signal).then(
      (value) => end({ status: 'done', value }),
      (thrown) =>
        end(abort.signal.aborted ? { status: 'cancelled' } : { status: 'failed', failure: broken(job, thrown) }),
    );
    return () => {
      clearTimeout(limit);
      abort.abort();
    };
  });
}

const broken = (job: JobEnded['job'], thrown: unknown) =>
  failureOf(thrown, (error) =>
    createFailure('INTERNAL_ERROR', { message: `${job} broke: ${error.message}`, data: { stack: error.stack } }),
  );
