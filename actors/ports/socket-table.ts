import type { ListenSocket } from '../context.ts';

export interface PortHolder {
  readonly pid: number;
  /** The program's name as the system lists it. */
  readonly name: string;
}

/** The seam to the system's list of sockets: `/proc/net` on Linux, `lsof` elsewhere. */
export interface SocketTable {
  /** Null when the system can't tell: no `/proc`, and `lsof` is missing or fails. */
  listening(pids: readonly number[]): Promise<readonly ListenSocket[] | null>;
  holder(port: number): Promise<PortHolder | null>;
}
