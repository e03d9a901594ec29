import type { Failure } from '../machines/failure.ts';

/** Carries a typed failure through promise code inside an actor; `createJob` and friends turn it back into a value. */
export class FailureError extends Error {
  readonly failure: Failure;

  constructor(failure: Failure, options?: ErrorOptions) {
    super(failure.message, options);
    this.name = 'FailureError';
    this.failure = failure;
  }
}

/** The failure of whatever was thrown; anything unexpected is a bug of ours. */
export function failureOf(thrown: unknown, unexpected: (error: Error) => Failure): Failure {
  if (thrown instanceof FailureError) return thrown.failure;
  return unexpected(thrown instanceof Error ? thrown : new Error(String(thrown)));
}
