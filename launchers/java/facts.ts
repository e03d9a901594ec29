import type { Command, Evidence, PassedOver, Refusal, Rung, Tool } from '../plan.ts';
import type { JdkWish } from './jdk.ts';
import type { Program } from './programs.ts';

/** What a build file says, whichever build tool it belongs to. */
export interface JavaProject {
  readonly file: string;
  readonly name: string;
  /** `group:artifact`. */
  readonly dependencies: readonly string[];
  /** Folders below the project's own. */
  readonly modules: readonly string[];
  /** Why it can't be a program, e.g. `gathers modules`; null when it may be one. */
  readonly only: string | null;
  readonly wish: JdkWish | null;
  /** First Java release that the build tool or the project can't run on; null for none. */
  readonly below: number | null;
  /** Words for the JVM that the project can't do without. */
  readonly jvm: readonly string[];
  /** Besides Java. */
  readonly tools: readonly Tool[];
  readonly rungs: readonly Rung[];
  readonly build: readonly Command[];
  readonly programs: readonly Program[];
  /** It says itself what its program is. */
  readonly names: boolean;
  readonly evidence: readonly Evidence[];
  readonly passedOver: readonly PassedOver[];
}

export const isRefusalLike = (made: object): made is Refusal => 'code' in made;
