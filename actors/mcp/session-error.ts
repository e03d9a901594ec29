import { createFailure, type Failure, type FailureCode, type FailureDetails } from '../../machines/failure.ts';
import type { Fate } from '../context.ts';

/** Why a request failed and whether it had its effect; `answered` means that the server itself said no. */
export class SessionError extends Error {
  readonly failure: Failure;
  readonly fate: Fate | 'answered';

  constructor(failure: Failure, fate: Fate | 'answered', options?: ErrorOptions) {
    super(failure.message, options);
    this.name = 'SessionError';
    this.failure = failure;
    this.fate = fate;
  }
}

export const sessionError = (code: FailureCode, fate: SessionError['fate'], details?: FailureDetails): SessionError =>
  new SessionError(createFailure(code, details), fate);

/** A request cut off by the end of its connection; keeps the exit and last lines of what ended it. */
export const interrupted = (method: string, reason: Failure, fate: Fate): SessionError =>
  sessionError('CALL_INTERRUPTED', fate, {
    message:
      fate === 'not-sent'
        ? `${method} was not sent: ${reason.message}`
        : `${method} was in flight when the connection ended: ${reason.message}`,
    ...(fate === 'not-sent' && { hint: 'The call had no effect; try again.' }),
    generation: reason.generation,
    exit: reason.exit,
    stderrTail: reason.stderrTail,
    data: { reason: reason.code },
  });
