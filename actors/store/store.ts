/** The home folder as the actors use it: places, facts, locks and the ledger. */

import type { LaunchPlan, Source } from '../../launchers/plan.ts';
import type { Attempt, Checkout, Environment } from '../../machines/contracts.ts';
import type { ContainerEngine } from '../container-engine.ts';

/** What is known of a plugin on disk; every field may be missing. Rebuilt by running the stage that writes it. */
export interface Facts {
  /** Identity of the source (and pin) that `checkout` answers to; another one makes cloning stale. */
  readonly sourceKey?: string;
  readonly checkout?: Checkout;
  /** Hash of checkout, overrides and the product's plan version that `plan` answers to. */
  readonly planKey?: string;
  readonly plan?: LaunchPlan;
  readonly environment?: Environment;
  /** Learned by the last successful probe of `environment.key`. */
  readonly attempt?: Attempt;
  readonly attemptKey?: string;
}

export type FactsPatch = { readonly [Name in keyof Facts]?: Facts[Name] | undefined };

/** Instances (`name#k`) of a plugin share all that is its on the disk, but for the ledger, which is by process. */
export interface Store {
  /** Absolute path of the home; exists with mode 0700 after `open`. */
  readonly home: string;
  /** Creates the home when missing, checks its format (HOME_NEWER, HOME_UNUSABLE). Idempotent, ≤ 1 ms when there. */
  open(): Promise<void>;
  /** `{}` when there are none or they can't be parsed (a broken file is set aside, never fatal). */
  readFacts(plugin: string): Promise<Facts>;
  /** Merges and writes (temp, fsync, rename); a field given as undefined is forgotten. */
  writeFacts(plugin: string, facts: FactsPatch): Promise<void>;
  /** Where a checkout of that commit belongs; may not exist yet. */
  checkoutDir(source: Source, commit: string): string;
  /** `envs/<plugin>/<key>`; the tree is below. */
  environmentDir(plugin: string, key: string): string;
  /** Where the plugin's log belongs (`log-files.ts`); may not exist yet. */
  logFile(plugin: string): string;
  /** Where a plugin's lists are kept; may not exist yet. */
  catalogFile(plugin: string): string;
  /** The plugin's own data folder; survives updates. */
  dataDir(plugin: string): string;
  /** Private tools fetched from a registry (`runtimes/uv` …). */
  runtimeDir(name: string): string;
  /** A fresh temp folder inside the home (same file system as its destination), named after this process. */
  makeTemp(prefix: string): Promise<string>;
  /**
   * Runs `work` under a lock of that name which other processes on this home respect and which the kernel frees when
   * its holder dies. Waiting ends with the signal (rejects with its reason). Not reentrant.
   */
  withLock<T>(name: string, signal: AbortSignal, work: () => Promise<T>): Promise<T>;
  /**
   * Makes this process the one daemon of the home until it ends or `release`s. Rejects with HOME_DAEMON_RUNNING (pid and
   * since when) while another process is it; waits for nobody. One-shot commands and embedded supervisors need no claim.
   */
  claimDaemon(info: DaemonInfo): Promise<DaemonClaim>;
  readonly ledger: Ledger;
}

export interface DaemonInfo {
  /** Of the program, for whoever finds it running. */
  readonly version: string;
}

/** Who is the daemon of a home, as `daemon.lock` says it. */
export interface DaemonHolder extends DaemonInfo {
  readonly pid: number;
  /** As in `ProcessIdentity`. */
  readonly startTime: string;
  /** ISO time of the claim. */
  readonly since: string;
}

export interface DaemonClaim {
  readonly holder: DaemonHolder;
  /** Idempotent. */
  release(): void;
}

/** Identity of a process that outlives pid reuse (boot id, pid, start time). */
export interface ProcessIdentity {
  readonly bootId: string;
  readonly pid: number;
  /** Field 22 of /proc/<pid>/stat, or letters and digits of what `ps` says where there is no `/proc`. */
  readonly startTime: string;
}

/** Which process groups this supervisor owns, on disk before they exist, so that the next start can reap them. */
export interface Ledger {
  /** Before spawn: an intent with the cookie; `engine` where it starts a container that wears the cookie as its label. */
  intend(entry: {
    readonly plugin: string;
    readonly generation: number;
    readonly cookie: string;
    readonly engine?: ContainerEngine | null;
  }): Promise<void>;
  /** After spawn: the leader's identity. */
  record(cookie: string, leader: ProcessIdentity): Promise<void>;
  /** After group.empty. */
  clear(cookie: string): Promise<void>;
  /** Ends what dead supervisors on this home left, containers too; never touches a living one's. Returns the pids ended. */
  reap(): Promise<readonly number[]>;
  /** Removes this supervisor's own ledger on a clean close. */
  close(): Promise<void>;
}
