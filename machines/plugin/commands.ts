/** Transitions that several states share. */

/** STOP, KILL and REMOVE lead to one place in most states. */
export const onStopCommands = <const Transition>(transition: Transition) => ({
  STOP: transition,
  KILL: transition,
  REMOVE: transition,
});

/** While something of it still ends: commands and calls change only where that leads. */
export const whileEnding = {
  START: { guard: 'mayStartAgain', actions: ['allowCalls', 'endRestart'] },
  RESTART: { guard: 'mayStart', actions: ['allowCalls', 'endRestart'] },
  CALL: { guard: 'mayHold', actions: 'hold' },
  /** What failed or was to be tried again belongs to the spec of before; a stop stays a stop. */
  UPDATE: [{ guard: 'endsForNewSpec', actions: ['takeSpec', 'endRestart'] }, { actions: 'takeSpec' }],
  ...onStopCommands({ actions: ['refuseCalls', 'rejectHeld', 'endAbsent'] }),
} as const;
