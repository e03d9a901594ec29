/** What the daemon tells those who come by its socket, besides what the gateway tells everyone. */

/** `GET /daemon` */
export interface DaemonState {
  readonly pid: number;
  /** ISO time. */
  readonly since: string;
  readonly version: string;
  readonly home: string;
  /** `http://127.0.0.1:7420` */
  readonly urls: readonly string[];
  readonly socket: string;
  /** The configuration file that counts; null when there is none. */
  readonly config: string | null;
  /** Why the file is not what counts now: it can not be read, and the last good one is kept. Null when all is well. */
  readonly problem: string | null;
  readonly plugins: readonly string[];
}
