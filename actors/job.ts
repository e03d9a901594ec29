import { fromCallback } from 'xstate';
import type { JobCommand, JobEnded, JobResult } from '../machines/contracts.ts';
import { createFailure } from '../machines/failure.ts';
import { failureOf } from './failure-error.ts';

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
    receive(() => abort.abort());
    const end = (result: JobResult<Value>) => sendBack({ type: 'job.ended', job, result });
    work(input, abort.signal).then(
      (value) => end({ status: 'done', value }),
      (thrown) =>
        end(
          abort.signal.aborted
            ? { status: 'cancelled' }
            : {
                status: 'failed',
                failure: failureOf(thrown, (error) =>
                  createFailure('INTERNAL_ERROR', {
                    message: `${job} broke: ${error.message}`,
                    data: { stack: error.stack },
                  }),
                ),
              },
        ),
    );
    return () => abort.abort();
  });
}
