/** What choosing an instance takes to know, and what it remembers of each plugin. */

import type { Instances as InstancesSpec, PluginSpec } from '../../launchers/plan.ts';
import type { SupervisorCommand } from '../../machines/events.ts';
import type { Failure } from '../../machines/failure.ts';
import type { PluginState } from '../../machines/states.ts';
import type { CallOptions } from '../options.ts';

/** Of one instance, as its snapshot says now. */
export interface InstanceView {
  /** Calls are written to it at once. */
  readonly open: boolean;
  readonly state: PluginState;
  readonly subState: string | null;
  /** Calls don't start it. */
  readonly stopped: boolean;
}

export interface InstancesParts {
  readonly specOf: (plugin: string) => PluginSpec | undefined;
  readonly send: (command: SupervisorCommand) => void;
  /** null: there is none of that name. */
  readonly view: (instance: string) => InstanceView | null;
  /** Calls that it works on, and calls that wait for it. */
  readonly load: (instance: string) => number;
  /** A link to it is open. */
  readonly isHeld: (instance: string) => boolean;
  /** When its last call ended, by `now`; 0: never. */
  readonly lastUse: (instance: string) => number;
  /** Milliseconds that never jump; default `performance.now`. */
  readonly now?: () => number;
}

/** Who calls. */
export type Caller = Pick<CallOptions, 'session' | 'clientCapabilities'>;

/** An instance besides the first. */
export interface Other {
  readonly id: string;
  session: string | null;
  /** What the client of that session can be asked. */
  capabilities: CallOptions['clientCapabilities'];
  usedAt: number;
  /** It was started, so that its next rest is an end. */
  started: boolean;
  leaving: boolean;
  timer: NodeJS.Timeout | null;
}

/** A client session that calls. */
export interface SessionCaller extends Caller {
  readonly session: string;
}

/** A plugin with what it has besides its first instance. */
export interface Group {
  readonly plugin: string;
  readonly others: Map<number, Other>;
  readonly sessions: Map<string, Other>;
  /** It was ready once as it is now: another instance will probably be, too. */
  proven: boolean;
  /** Calls may start instances. */
  awake: boolean;
  /** The plugin is being removed. */
  leaving: boolean;
  /** Its first instance is gone. */
  gone: boolean;
  leftBehind: Failure | null;
}

const SHARED: InstancesSpec = { kind: 'shared' };

export const instancesOf = (spec: PluginSpec | undefined): InstancesSpec => spec?.instances ?? SHARED;
