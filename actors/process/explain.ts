import type { Cause, LaunchPlan } from '../../launchers/plan.ts';
import type { Exit } from '../../machines/failure.ts';
import { causeWithGaps } from '../clone/gaps.ts';
import type { ActorContext } from '../context.ts';

/** What the plan's launcher makes of a program's last words; null when it is gone, can't tell or breaks. */
export async function explainExit(
  { launchers, log }: ActorContext,
  plan: LaunchPlan,
  lines: readonly string[],
  exit: Exit,
): Promise<Cause | null> {
  try {
    const launcher = (await launchers()).find(({ id }) => id === plan.launcher);
    return causeWithGaps(launcher?.explain(lines.join('\n'), exit) ?? null, plan.gaps);
  } catch (error) {
    log.error({ launcher: plan.launcher, err: error }, 'a launcher could not explain an exit');
    return null;
  }
}
