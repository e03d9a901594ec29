import type { PluginState } from '../../machines/states.ts';
import { showDuration } from './duration.ts';

/** What a person calls the states on the way to ready; a relaunch counts as part of the start. */
const STAGE = {
  cloning: 'clone',
  detecting: 'detect',
  installing: 'install',
  launching: 'start',
  probing: 'start',
} as const satisfies Partial<Record<PluginState, string>>;

/** Shorter than this says nothing to a person. */
const WORTH_SHOWING = 50;

/** Adds up the time a plugin spends in each stage of a start. Milliseconds; `now` is any steady clock. */
export interface Stages {
  enter(state: PluginState): void;
  readonly state: PluginState;
  /** Time in the present state. */
  elapsed(): number;
  /** Time since this start began. */
  total(): number;
  /** `clone 0.4 s · install 1.9 s · start 0.7 s`, without the stage that still runs. */
  done(): string;
}

export function createStages(now: () => number): Stages {
  let state: PluginState = 'absent';
  let began = now();
  let entered = began;
  let spent = new Map<string, number>();

  const stageOf = (name: PluginState) => STAGE[name as keyof typeof STAGE];
  return {
    get state() {
      return state;
    },
    enter(next) {
      const at = now();
      const stage = stageOf(state);
      if (stage !== undefined) spent.set(stage, (spent.get(stage) ?? 0) + at - entered);
      // A start after a rest or a crash is a new one; a relaunch (stopping, then launching) belongs to the same.
      if (next === 'absent' || state === 'crashed' || state === 'ready' || state === 'idle') {
        began = at;
        spent = new Map();
      }
      state = next;
      entered = at;
    },
    elapsed: () => now() - entered,
    total: () => now() - began,
    done: () =>
      [...spent]
        .filter(([stage, time]) => time >= WORTH_SHOWING && stage !== stageOf(state))
        .map(([stage, time]) => `${stage} ${showDuration(time)}`)
        .join(' · '),
  };
}
