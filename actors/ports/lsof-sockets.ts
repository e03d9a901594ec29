import { execFile } from 'node:child_process';
import type { ListenSocket } from '../context.ts';
import type { SocketTable } from '../ports.ts';

interface Listener extends ListenSocket {
  readonly pid: number;
  readonly name: string;
}

/** Systems without `/proc`: `lsof` in its machine-readable form, one field a line. Unix sockets are not told apart. */
export function createLsofSockets(): SocketTable {
  const list = async (...which: string[]) => parse(await lsof(['-nP', '-iTCP', '-sTCP:LISTEN', '-Fpcn', ...which]));
  return {
    listening: async (pids) => {
      if (pids.length === 0) return [];
      const found = await list('-a', '-p', pids.join(','));
      return found.map(({ host, port, path }) => ({ host, port, path }));
    },
    holder: async (port) => {
      const holder = (await list()).find((socket) => socket.port === port);
      return holder ? { pid: holder.pid, name: holder.name } : null;
    },
  };
}

function parse(text: string): Listener[] {
  let pid = 0;
  let name = '';
  return text.split('\n').flatMap((line) => {
    const value = line.slice(1);
    if (line[0] === 'p') pid = Number(value);
    if (line[0] === 'c') name = value;
    const address = line[0] === 'n' ? /^(.+):(\d+)$/.exec(value) : null;
    if (address === null) return [];
    const host = address[1] === '*' ? '::' : address[1]!.replace(/^\[(.*)\]$/, '$1');
    return [{ pid, name, host, port: Number(address[2]), path: null }];
  });
}

/** Ends with 1 when some pid has no socket: its output counts, not its exit. */
const lsof = (args: readonly string[]): Promise<string> =>
  new Promise((resolve) => {
    execFile('lsof', args, { timeout: 10_000 }, (_error, stdout) => resolve(stdout));
  });
