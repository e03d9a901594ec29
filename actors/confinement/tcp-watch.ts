import { readFileSync, readlinkSync } from 'node:fs';
import { createFailure, type Failure } from '../../machines/failure.ts';

/** Looks in a row, a second apart: a stdio server may open a web page beside its protocol, and answers before that. */
const LOOKS = 4;

/**
 * Tells of a plugin without a network that waits for callers on TCP: nobody will come. A first start doesn't know yet how
 * the plugin talks, and would only run into its deadline.
 */
export function createTcpWatch(isReady: () => boolean, root = '/proc'): (pids: readonly number[]) => Failure | null {
  let looks = 0;
  return (pids) => {
    const isElsewhere = (pid: number) => networkOf(`${root}/${pid}`) !== networkOf(`${root}/self`);
    if (isReady() || !pids.some((pid) => isElsewhere(pid) && listens(`${root}/${pid}/net`))) {
      looks = 0;
      return null;
    }
    looks += 1;
    return looks < LOOKS ? null : createFailure('CONFIG_SANDBOX_NETWORK');
  };
}

/** bubblewrap itself stays in ours, which is full of other people's sockets. */
const networkOf = (process: string): string | null => {
  try {
    return readlinkSync(`${process}/ns/net`);
  } catch {
    return null;
  }
};

const listens = (net: string): boolean => ['tcp', 'tcp6'].some((name) => LISTENER.test(textOf(`${net}/${name}`)));

const LISTENER = /^\s*\d+: \S+ \S+ 0A /m;

function textOf(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
