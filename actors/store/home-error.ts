import { createFailure } from '../../machines/failure.ts';
import { FailureError } from '../failure-error.ts';

const DISK_FULL = ['ENOSPC', 'EDQUOT'];
const UNUSABLE = ['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EISDIR', 'EEXIST', 'ENOTEMPTY', 'ENAMETOOLONG', 'ELOOP'];
/** These pass by themselves. */
const EXHAUSTED = ['EMFILE', 'ENFILE', 'ENOMEM', 'EAGAIN', 'EIO'];

/** HOME_DISK_FULL or HOME_UNUSABLE for what the file system refused; anything else (a bug, an abort) as it is. */
function homeError(thrown: unknown): unknown {
  const code = thrown instanceof Error ? (thrown as NodeJS.ErrnoException).code : undefined;
  if (code === undefined || thrown instanceof FailureError) return thrown;
  const { message } = thrown as Error;
  if (DISK_FULL.includes(code))
    return new FailureError(createFailure('HOME_DISK_FULL', { message }), { cause: thrown });
  if (EXHAUSTED.includes(code)) {
    const hint = 'Free some open files or memory (ulimit -a), look after the disk, then try again.';
    const failure = createFailure('HOME_UNUSABLE', { message, hint });
    return new FailureError({ ...failure, retryable: true }, { cause: thrown });
  }
  if (UNUSABLE.includes(code)) return new FailureError(createFailure('HOME_UNUSABLE', { message }), { cause: thrown });
  return thrown;
}

/** Runs work on the home's files; what the file system refuses becomes a typed failure. */
export async function withHomeErrors<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    throw homeError(thrown);
  }
}
