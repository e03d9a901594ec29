/** placeholder type; implemented with groups */
export interface Guard {
  /** Tells the guard that this group (and cookie) is ours from now on. */
  watch(group: number, cookie: string): void;
  unwatch(group: number): void;
  close(): void;
}
