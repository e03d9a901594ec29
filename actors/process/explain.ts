import type { Cause, LaunchPlan } from '../../launchers/plan.ts';
import type { Exit } from '../../machines/failure.ts';
import { causeWithGaps } from '../clone/gaps.ts';
import type { ActorContext, Noise } from '../context.ts';

/** Patterns are slow on longer ones, and find nothing in them. */
const LONGEST_LINE = 4096;

/** What the plan's launcher makes of a program's last words; null when it is gone, can't tell or breaks. */
export async function explainExit(
  { launchers, log }: ActorContext,
  plan: LaunchPlan,
  lines: readonly string[],
  exit: Exit,
): Promise<Cause | null> {
  try {
    const launcher = (await launchers()).find(({ id }) => id === plan.launcher);
    const text = lines.map((line) => line.slice(0, LONGEST_LINE)).join('\n');
    return causeWithGaps(launcher?.explain(text, exit) ?? null, plan.gaps);
  } catch (error) {
    log.error({ launcher: plan.launcher, err: error }, 'a launcher could not explain an exit');
    return null;
  }
}

/** Why a program that was ended had said nothing that could be understood: what it printed in place of messages. */
export function explainSilence(noise: Noise | null): Cause | null {
  if (noise === null || !noise.alone || noise.cause === null) return null;
  const { lines, cause } = noise;
  const printed = lines === 1 ? 'a line' : `${lines} lines`;
  const detail = `It printed ${printed} on stdout, and no message: ${cause.detail}`;
  return { kind: 'unknown', detail, hint: cause.hint };
}
