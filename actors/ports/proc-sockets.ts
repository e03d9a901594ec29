import { readdirSync, readlinkSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { ListenSocket } from '../context.ts';
import type { SocketTable } from './socket-table.ts';

interface Listener extends ListenSocket {
  readonly inode: string;
}

/** Linux: listeners of `/proc/net` whose inode is among the open files of a process. */
export function createProcSockets(root = '/proc'): SocketTable {
  const tcp = async () => [
    ...parseTcp(await textOf(`${root}/net/tcp`), ipv4),
    ...parseTcp(await textOf(`${root}/net/tcp6`), ipv6),
  ];
  const socketsOf = (pid: number): Set<string> => {
    const open = `${root}/${pid}/fd`;
    return new Set(list(open).flatMap((fd) => /^socket:\[(\d+)\]$/.exec(linkOf(`${open}/${fd}`))?.[1] ?? []));
  };
  return {
    listening: async (pids) => {
      const listeners = [...(await tcp()), ...parseUnix(await textOf(`${root}/net/unix`))];
      const owned = pids.map(socketsOf);
      return listeners
        .filter(({ inode }) => owned.some((sockets) => sockets.has(inode)))
        .map(({ host, port, path }) => ({ host, port, path }));
    },
    holder: async (port) => {
      const inodes = (await tcp()).filter((socket) => socket.port === port).map(({ inode }) => inode);
      if (inodes.length === 0) return null;
      for (const pid of list(root).map(Number).filter(Number.isInteger)) {
        const sockets = socketsOf(pid);
        if (inodes.some((inode) => sockets.has(inode))) {
          return { pid, name: (await textOf(`${root}/${pid}/comm`)).trim() };
        }
      }
      return null;
    },
  };
}

const LISTENING_TCP = '0A';
/** `__SO_ACCEPTCON` in the flags column. */
const ACCEPTING = 0x10000;

function parseTcp(text: string, address: (hex: string) => string): Listener[] {
  return text.split('\n').flatMap((line) => {
    const [, local = '', , state, , , , , , inode] = line.trim().split(/\s+/);
    if (state !== LISTENING_TCP || inode === undefined) return [];
    const [host = '', port = ''] = local.split(':');
    return [{ host: address(host), port: Number.parseInt(port, 16), path: null, inode }];
  });
}

function parseUnix(text: string): Listener[] {
  return text.split('\n').flatMap((line) => {
    const [, flags = '', inode, path] = /^\S+ \S+ \S+ (\S+) \S+ \S+ +(\d+) (\/.*)$/.exec(line) ?? [];
    if (inode === undefined || path === undefined || (Number.parseInt(flags, 16) & ACCEPTING) === 0) return [];
    return [{ host: '', port: 0, path, inode }];
  });
}

/** Four bytes in the machine's order: little-endian wherever Node runs on Linux, but for s390x. */
const bytesOf = (hex: string): number[] => {
  const bytes = hex.match(/../g)?.map((byte) => Number.parseInt(byte, 16)) ?? [];
  const words = Array.from({ length: bytes.length / 4 }, (_, word) => bytes.slice(word * 4, word * 4 + 4));
  return words.flatMap((word) => (process.arch === 's390x' ? word : word.reverse()));
};

const ipv4 = (hex: string): string => bytesOf(hex).join('.');

/** Shortened as people write it; an IPv4 address in IPv6 dress is given as IPv4. */
function ipv6(hex: string): string {
  const bytes = bytesOf(hex);
  const isMapped = bytes.slice(0, 10).every((byte) => byte === 0) && bytes[10] === 0xff && bytes[11] === 0xff;
  if (isMapped) return bytes.slice(12).join('.');
  const groups = Array.from({ length: 8 }, (_, at) => ((bytes[at * 2]! << 8) | bytes[at * 2 + 1]!).toString(16));
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1);
}

const textOf = (path: string): Promise<string> => readFile(path, 'utf8').catch(() => '');

/** [] for a process that is gone, or another user's. */
function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}
