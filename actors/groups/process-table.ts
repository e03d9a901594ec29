/** One running (or dead but unreaped) process, as the system lists it. */
export interface ProcessRow {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  /** One letter; `Z` and `X` are dead. */
  readonly state: string;
  /** With boot id and pid it names a process for good: pids are used again, start times are not. */
  readonly startTime: string;
}

/** The seam to the system's process list: `/proc` on Linux, `ps` elsewhere. Synchronous, so that a last look can be one. */
export interface ProcessTable {
  bootId(): string;
  row(pid: number): ProcessRow | null;
  rows(): readonly ProcessRow[];
  /** True when environments of other processes can be read at all, i.e. when escapees can be found. */
  readonly readsEnvironments: boolean;
  /** Pids whose environment (as of their exec) has an entry that is `entry`, or starts with it when it ends in a dot. */
  withEnvironment(entry: string): readonly number[];
}
