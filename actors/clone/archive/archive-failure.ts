import { createFailure, type FailureCode } from '../../../machines/failure.ts';
import { FailureError } from '../../failure-error.ts';

/** `problem` completes "The archive …". */
export const archiveFailure = (code: FailureCode, problem: string, data: Readonly<Record<string, unknown>> = {}) =>
  new FailureError(createFailure(code, { message: `The archive ${problem}.`, data }));

export const unsafe = (path: string, why: string) =>
  archiveFailure('CLONE_UNSAFE_ARCHIVE', `was not unpacked: its entry ${JSON.stringify(path.slice(0, 200))} ${why}`, {
    entry: path.slice(0, 200),
  });

export const broken = (why: string) => archiveFailure('CLONE_BAD_ARCHIVE', `can't be read: ${why.replace(/\.$/, '')}`);
