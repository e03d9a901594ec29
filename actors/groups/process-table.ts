/** One running (or dead but unreaped) process, as the system lists it. */
export interface ProcessRow {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  /** One letter; `Z` and `X` are dead. */
  readonly state: string;
  /** Letters and digits. With boot id and pid it names a process for good: pids are used again, start times are not. */
  readonly startTime: string;
}

/** What is there now. Its methods throw when the system can't tell: no free file, no memory. */
export interface Look {
  row(pid: number): ProcessRow | null;
  rows(): readonly ProcessRow[];
  /** Pids whose environment (as of their exec) has an entry that is `entry`, or starts with it when it ends in a dot. */
  withEnvironment(entry: string): readonly number[];
}

/** The seam to the system's process list: `/proc` on Linux, `ps` elsewhere. */
export interface ProcessTable {
  bootId(): string;
  /** For a few questions that belong together, asked now: what costs much is asked of the system once. */
  look(): Look;
  /** The same for whoever can wait: begun after the call, and shared by all who wait for one. */
  nextLook(): Look | Promise<Look>;
  /** True when environments of other processes can be read at all, i.e. when escapees can be found. */
  readsEnvironments(): boolean;
}
