import type { Mutant } from '../mutants.ts';

export const truth: readonly Mutant[] = [
  {
    name: 'the gate is open while it fails',
    file: 'machines/plugin/serving.ts',
    find: "failing: { after: { recheck: 'rechecking' } },",
    replace: "failing: { tags: ['open'], on: { CALL: { actions: 'admit' } }, after: { recheck: 'rechecking' } },",
    caughtBy: 'R7',
  },
  {
    name: 'silence is borne for ever',
    file: 'machines/plugin/base.ts',
    find: 'context.health.failures + 1 >= context.bounds.healthFailures,',
    replace: 'context.health.failures < 0,',
    caughtBy: 'R7',
  },
  {
    name: 'no generation check',
    file: 'machines/plugin/base.ts',
    find: "isCurrent: ({ context, event }) => 'generation' in event && event.generation === context.generation,",
    replace: "isCurrent: ({ event }) => 'generation' in event,",
    caughtBy: 'R66',
  },
  {
    name: 'an exit while calls are in flight counts as a quiet end',
    file: 'machines/plugin/outcomes.ts',
    find: 'const clean = !context.busy && event.exit.code === 0',
    replace: 'const clean = event.exit.code === 0',
    caughtBy: 'R20',
  },
  {
    name: 'gate open in idle',
    file: 'machines/plugin/serving.ts',
    find: "entry: ['setQuiet', 'reportUse'],",
    replace: "tags: ['open'], entry: ['setQuiet', 'reportUse'],",
    caughtBy: 'R7',
  },
  {
    name: 'a plugin at work is asked for its health all the same',
    file: 'actors/mcp/liveness.ts',
    find: "if (inFlight() > 0 && !unanswered) return { status: 'well' };",
    replace: '',
    caughtBy: 'R7',
  },
  {
    name: 'last lines of stderr are lost',
    file: 'machines/failure.ts',
    find: 'TAIL_LINES = 20',
    replace: 'TAIL_LINES = 19',
    caughtBy: 'R1',
  },
  {
    name: 'the signal of an exit is lost',
    file: 'actors/process/handle.ts',
    find: 'parts.exitOf({ code, signal })',
    replace: 'parts.exitOf({ code, signal: null })',
    caughtBy: 'R21',
  },
];
