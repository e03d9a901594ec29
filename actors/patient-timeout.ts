/**
 * A time limit that is fair when the program itself stood still (SIGSTOP, a suspended machine, a host that kept the event
 * loop busy): Node runs what is due before it reads what has come meanwhile, so a limit would pass for an answer that
 * lies in the pipe.
 */

/** A timer that is later than this, in ms, fired after the event loop had stood still; ordinary load costs a few ms. */
const STOOD_STILL = 50;

/** The time for which it stood still is given back, up to this, in ms: enough to read what came, and to ask once more. */
const LONGEST_GRACE = 1000;

export interface PatientTimeout {
  cancel(): void;
}

export interface PatientTimeoutOptions {
  /** False: the timer does not keep the program alive; default true. */
  readonly ref?: boolean;
}

/** `setTimeout`, but when it is late everything that has arrived is read before `work` runs. */
export function setPatientTimeout(
  work: () => void,
  ms: number,
  { ref = true }: PatientTimeoutOptions = {},
): PatientTimeout {
  const due = performance.now() + ms;
  let timer: NodeJS.Timeout;
  let immediate: NodeJS.Immediate | undefined;
  const wait = (then: () => void, delay: number) => {
    timer = setTimeout(then, delay);
    if (!ref) timer.unref();
  };
  // Behind the reading too: another timer's work may have filled the grace.
  const afterReading = () => {
    immediate = setImmediate(work);
    if (!ref) immediate.unref();
  };
  const fired = () => {
    const late = performance.now() - due;
    if (late < STOOD_STILL) work();
    else wait(afterReading, Math.min(late, LONGEST_GRACE));
  };
  wait(fired, ms);
  return {
    cancel() {
      clearTimeout(timer);
      clearImmediate(immediate);
    },
  };
}
