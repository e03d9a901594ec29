import type { Cause, LaunchPlan } from '../../launchers/plan.ts';
import type { Exit } from '../../machines/failure.ts';
import type { ActorContext } from '../context.ts';

/** A program may print its whole minified source as it dies; patterns are slow on such text, and find nothing in it. */
const LONGEST_LINE = 1000;
const LONGEST_TEXT = 16 * 1024;

/** What the plan's launcher makes of a program's last words; null when it is gone, can't tell or breaks. */
export async function explainExit(
  { launchers, log }: ActorContext,
  plan: LaunchPlan,
  lines: readonly string[],
  exit: Exit,
): Promise<Cause | null> {
  try {
    const launcher = (await launchers()).find(({ id }) => id === plan.launcher);
    return launcher?.explain(lastWords(lines), exit) ?? null;
  } catch (error) {
    log.error({ launcher: plan.launcher, err: error }, 'a launcher could not explain an exit');
    return null;
  }
}

const lastWords = (lines: readonly string[]): string =>
  lines
    .map((line) => line.slice(0, LONGEST_LINE))
    .join('\n')
    .slice(-LONGEST_TEXT);
