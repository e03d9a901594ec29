/** Whether the system could run a file at all. */

import { open, readdir } from 'node:fs/promises';
import { isAbsolute } from 'node:path';

/** As far as a shell looks for a zero byte before it believes that a file is a script (bash, `check_binary_file`). */
const HEAD = 80;
const ELF = 0x7f454c46;
/** Mach-O of either width and order, and several in one file. */
const MACH_O: readonly number[] = [0xfeedface, 0xfeedfacf, 0xcefaedfe, 0xcffaedfe, 0xcafebabe];

/** `e_machine` of the ELF header by `process.arch`: its own, and the 32-bit one that the same kernel takes. */
const MACHINES: Readonly<Record<string, readonly number[]>> = {
  x64: [62, 3],
  ia32: [3],
  arm64: [183, 40],
  arm: [40],
  riscv64: [243],
  ppc64: [21],
  s390x: [22],
  loong64: [258],
};

/**
 * True for a file that `execve` refuses (ENOEXEC) though it is no script. Such a file must not be spawned: the C library
 * then hands it to `/bin/sh`, which runs whatever its bytes happen to spell. False wherever that is not certain.
 */
export async function isForeignBinary(path: string): Promise<boolean> {
  // A bare name is looked up by the system: what it finds on a PATH is made for this machine.
  const head = isAbsolute(path) ? await headOf(path) : null;
  if (head === null || head.length < 4 || head.toString('latin1', 0, 2) === '#!') return false;
  const magic = head.readUInt32BE(0);
  if (process.platform === 'darwin' && MACH_O.includes(magic)) return false;
  if (process.platform === 'linux' && magic === ELF && isOurs(head)) return false;
  const [firstLine = ''] = head.toString('latin1').split('\n');
  if (magic !== ELF && !firstLine.includes('\0')) return false;
  return !(await hasInterpreters());
}

function isOurs(head: Buffer): boolean {
  const machines = MACHINES[process.arch];
  if (machines === undefined || head.length < 20) return true;
  return machines.includes(head[5] === 2 ? head.readUInt16BE(18) : head.readUInt16LE(18));
}

/** The kernel may have been told how to run other formats (an emulator, a Java archive). */
async function hasInterpreters(): Promise<boolean> {
  const formats = await readdir('/proc/sys/fs/binfmt_misc').catch(() => []);
  return formats.some((name) => name !== 'register' && name !== 'status');
}

/** null for what can't be read: spawning it says why. */
async function headOf(path: string): Promise<Buffer | null> {
  const file = await open(path).catch(() => null);
  if (file === null) return null;
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD), 0, HEAD, 0);
    return buffer.subarray(0, bytesRead);
  } catch {
    return null;
  } finally {
    await file.close();
  }
}
