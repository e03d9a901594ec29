import { execFile } from 'node:child_process';
import type { ListenSocket } from '../context.ts';
import type { SocketTable } from './socket-table.ts';

interface Entry {
  readonly pid: number;
  readonly program: string;
  /** `IPv4`, `IPv6`, `unix`. */
  readonly type: string;
  /** What `lsof` calls the socket: `127.0.0.1:80`, `*:80`, `[::1]:80`, a path. */
  readonly name: string;
}

/** Systems without `/proc`: `lsof` in its machine-readable form, one field a line. */
export function createLsofSockets(): SocketTable {
  const listeners = async (...which: string[]) => {
    const entries = await list('-iTCP', '-sTCP:LISTEN', ...which);
    return entries === null ? null : entries.flatMap((entry) => ({ entry, socket: tcpSocket(entry) ?? [] }));
  };
  return {
    listening: async (pids) => {
      if (pids.length === 0) return [];
      const these = ['-a', '-p', pids.join(',')];
      // One at a time where the first finds that there is no lsof; sockets of both kinds can't be asked for at once.
      const tcp = await listeners(...these);
      const unix = tcp && (await list('-U', ...these));
      if (tcp === null || unix === null) return null;
      return distinct([...tcp.flatMap(({ socket }) => socket), ...unix.flatMap(({ name }) => unixSocket(name) ?? [])]);
    },
    holder: async (port) => {
      const held = (await listeners()) ?? [];
      const holder = held.find(({ socket }) => [socket].flat().some((each) => each.port === port));
      return holder ? { pid: holder.entry.pid, name: holder.entry.program } : null;
    },
  };
}

/** Null when it can't run. It ends with 1 when some pid has no socket: its output counts, not its exit. */
const list = (...which: readonly string[]): Promise<readonly Entry[] | null> =>
  new Promise((resolve) => {
    try {
      execFile('lsof', ['-nP', '-Fpctn', ...which], { timeout: 10_000 }, (error, stdout) => {
        resolve(typeof error?.code === 'string' || error?.killed === true ? null : parse(stdout));
      });
    } catch {
      // No free file or process: it is asked again soon.
      resolve([]);
    }
  });

function parse(text: string): Entry[] {
  let pid = 0;
  let program = '';
  let type = '';
  return text.split('\n').flatMap((line) => {
    const value = line.slice(1);
    if (line[0] === 'p') pid = Number(value);
    if (line[0] === 'c') program = value;
    if (line[0] === 't') type = value;
    return line[0] === 'n' ? { pid, program, type, name: value } : [];
  });
}

function tcpSocket({ name, type }: Entry): ListenSocket | null {
  const [, host, port] = /^(.+):(\d+)$/.exec(name) ?? [];
  if (host === undefined) return null;
  const any = type === 'IPv4' ? '0.0.0.0' : '::';
  return { host: host === '*' ? any : host.replace(/^\[(.*)\]$/, '$1'), port: Number(port), path: null };
}

/** One that has a path was bound to it, which only servers do. Linux says its type behind it. */
function unixSocket(name: string): ListenSocket | null {
  return name.startsWith('/') ? { host: '', port: 0, path: name.replace(/ type=[A-Z]+(?: \(\w+\))?$/, '') } : null;
}

/** A server's connections carry its own name too, and several processes may share one socket. */
const distinct = (sockets: readonly ListenSocket[]): readonly ListenSocket[] => [
  ...new Map(sockets.map((socket) => [`${socket.host} ${socket.port} ${socket.path}`, socket])).values(),
];
