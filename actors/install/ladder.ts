import type { Cause, Rung } from '../../launchers/plan.ts';
import { FailureError } from '../failure-error.ts';
import { type Broken, failureOf, runAll, type Workshop } from './workshop.ts';

const cures = (rung: Rung, cause: Cause): boolean => rung.cures === 'any' || rung.cures.includes(cause.kind);

/**
 * Climbs a plan's install ladder and returns the id of the rung that held; null when there is none to climb. Each next
 * rung is the first that cures what broke the one before; when none does, the install has failed.
 */
export async function climb(workshop: Workshop): Promise<string | null> {
  const { context, input } = workshop;
  const rungs = input.plan.install;
  const tried: string[] = [];
  for (let rung = rungs[0]; rung !== undefined; ) {
    tried.push(rung.id);
    const broken: Broken | null = await runAll(workshop, rung.steps);
    if (broken === null) return rung.id;
    const { cause } = broken;
    const next: Rung | undefined = rungs.slice(rungs.indexOf(rung) + 1).find((later) => cures(later, cause));
    if (next === undefined) {
      throw new FailureError(failureOf(workshop, broken, 'INSTALL_FAILED', { rung: rung.id, tried }));
    }
    const fields = { plugin: input.plugin, rung: rung.id, cause: cause.kind, next: next.id };
    context.log.info(fields, 'an install step failed; trying another way');
    rung = next;
  }
  return null;
}
