/** Takes the lock on file descriptor 3. */
export interface Locker {
  readonly program: string;
  readonly args: readonly string[];
}

/** Exit status of a locker that was not given the lock in time. */
export const GAVE_UP = 75;

/**
 * Waiting is cut into pieces of 10 s: a waiter whose own supervisor was killed must not live on until the holder is
 * done. BusyBox knows neither -w nor -E.
 */
export const FLOCK: readonly Locker[] = [
  { program: 'flock', args: ['-w', '10', '-E', String(GAVE_UP), '3'] },
  { program: 'flock', args: ['3'] },
];

/** macOS has no flock(1) but Perl, which makes the same system call. */
export const PERL: Locker = {
  program: 'perl',
  args: [
    '-e',
    `$SIG{ALRM} = sub { exit ${GAVE_UP} }; alarm 10; open(my $file, "+<&=", 3) or exit 1; flock($file, 2) or exit 1`,
  ],
};
