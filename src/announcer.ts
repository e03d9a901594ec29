import { EventEmitter } from 'eventemitter3';
import { PLUGIN_STATES } from '../machines/states.ts';
import { supervisorError } from './errors.ts';
import type { Supervisor, SupervisorEvents } from './options.ts';

export type Emitter = EventEmitter<
  { [Name in keyof SupervisorEvents]: [SupervisorEvents[Name]] } & {
    /** Nobody's but ours: one of several instances is gone, and the plugin stays. */
    'instance:removed': [];
  }
>;

/** The public events: whoever listens, and the one place that tells them. */
export interface Announcer {
  readonly emitter: Emitter;
  announce<Name extends keyof SupervisorEvents>(event: Name, argument: SupervisorEvents[Name]): void;
  /** CONFIG_INVALID for a name that is no event. */
  readonly on: Supervisor['on'];
}

const EVENTS: readonly (keyof SupervisorEvents)[] = [
  'plugin:state',
  ...PLUGIN_STATES.map((state) => `plugin:${state}` as const),
  'plugin:removed',
  'plugin:configured',
  'plugin:log',
  'plugin:message',
  'supervisor:closed',
];

/** A listener of the user must not break the machine that called it: what it throws goes to `onThrown`. */
export function createAnnouncer(onThrown: (error: unknown, event: string) => void): Announcer {
  const emitter: Emitter = new EventEmitter();
  return {
    emitter,
    announce<Name extends keyof SupervisorEvents>(event: Name, argument: SupervisorEvents[Name]) {
      for (const listener of emitter.listeners(event) as unknown as ((argument: SupervisorEvents[Name]) => void)[]) {
        try {
          listener(argument);
        } catch (error) {
          onThrown(error, event);
        }
      }
    },
    on(event, listener) {
      if (!EVENTS.includes(event)) {
        throw supervisorError('CONFIG_INVALID', {
          message: `'${event}' is no event of a supervisor; expected ${EVENTS.join(', ')}.`,
        });
      }
      emitter.on(event, listener as never);
      return () => emitter.off(event, listener as never);
    },
  };
}
