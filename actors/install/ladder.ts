import type { Cause, Command, LaunchPlan, Rung } from '../../launchers/plan.ts';
import type { Fallback, InstallInput } from '../../machines/contracts.ts';
import { FailureError } from '../failure-error.ts';
import { type BuildBroke, resolveStart } from './resolve-start.ts';
import { type Broken, failureOf, run, runAll, type Workshop } from './workshop.ts';

/** What holds at the end of the climb. */
export interface Ascent {
  /** Null when there was nothing to install. */
  readonly rung: string | null;
  /** Resolved: its `start` can run. */
  readonly plan: LaunchPlan;
  readonly fallbacks: readonly Fallback[];
}

const curesInstall = (rung: Rung, { kind }: Cause): boolean => rung.cures === 'any' || rung.cures.includes(kind);
const curesBuild = (rung: Rung, { kind }: Cause, broken: Rung): boolean =>
  rung.curesBuild?.includes(kind) === true && !(rung.asOfCommit === true && broken.frozen === true);

/**
 * Climbs a plan's install ladder until something is there to start. Each next rung is the first that cures what broke the
 * one before; when none does, the install has failed. What a build made of a rung's packages counts as the rung's: where
 * it breaks, a later rung may lead to other packages.
 */
export async function climb(workshop: Workshop): Promise<Ascent> {
  const { context, input } = workshop;
  const rungs = rungsFor(input);
  const [first] = rungs;
  const fallbacks: Fallback[] = input.because === null ? [] : [input.because];
  const say = (text: string) => context.output({ plugin: input.plugin, stream: 'install', text });
  if (input.because !== null) say(`${input.because.detail} Installing again.`);
  if (first === undefined) {
    const made = await resolveStart(workshop);
    if (made.ok) return { rung: null, plan: made.plan, fallbacks };
    throw new FailureError(made.failure);
  }
  const tried: string[] = [];
  /** A build that failed tells more than the other packages that were tried for its sake. */
  let build: BuildBroke | null = null;
  /** A rung whose program is not here tells less than the one that it was to cure. */
  let told: Broken | null = null;
  for (let rung: Rung = first; ; ) {
    tried.push(rung.id);
    const broken = await runAll(workshop, rung.steps);
    let next: Rung | undefined;
    const later = rungs.slice(rungs.indexOf(rung) + 1);
    if (broken === null) {
      for (const command of rung.afterwards ?? []) noteLeft(workshop, await run(workshop, command));
      const made = await resolveStart(workshop);
      if (made.ok) return { rung: rung.id, plan: made.plan, fallbacks };
      build ??= made;
      const { cause } = made;
      next = cause === null ? undefined : later.find((each) => curesBuild(each, cause, rung));
      if (cause === null || next === undefined) throw new FailureError(build.failure);
      fallbacks.push({ tried: 'build', cause: cause.kind, detail: cause.detail });
      // Installers keep what is there and fits; what was there broke the build.
      await workshop.renew();
    } else {
      const { cause } = broken;
      if (told === null || broken.result.spawnError !== 'ENOENT') told = broken;
      next = later.find((each) => each.asOfCommit === rung.asOfCommit && curesInstall(each, cause));
      if (next === undefined) {
        throw new FailureError(build?.failure ?? failureOf(workshop, told, 'INSTALL_FAILED', { rung: rung.id, tried }));
      }
      fallbacks.push({ tried: rung.id, cause: cause.kind, detail: cause.detail });
    }
    const { cause = 'unknown', detail = '' } = fallbacks.at(-1) ?? {};
    context.log.info({ plugin: input.plugin, rung: rung.id, cause, next: next.id }, 'trying another way to install');
    say(`${detail} Trying ${next.id}.`);
    rung = next;
  }
}

/** The rungs that this install may climb, their placeholders filled in. */
function rungsFor({ plan, checkout, dependencies }: InstallInput): readonly Rung[] {
  const { committedAt } = checkout;
  if (committedAt === null) return plan.install.filter(({ asOfCommit }) => asOfCommit !== true);
  const dated = plan.install.map((rung) => (rung.asOfCommit === true ? withDate(rung, committedAt) : rung));
  const ofDate = dated.filter(({ asOfCommit }) => asOfCommit === true);
  return dependencies === 'as-of-commit' && ofDate.length > 0 ? ofDate : dated;
}

function withDate(rung: Rung, committedAt: string): Rung {
  const seconds = Math.max(0, Math.floor((Date.now() - Date.parse(committedAt)) / 1000));
  const values: Record<string, string> = {
    date: committedAt,
    minutes: String(Math.floor(seconds / 60)),
    seconds: String(seconds),
  };
  const fill = (word: string) =>
    word.replaceAll(/\{(date|minutes|seconds)\}/g, (_, name: string) => values[name] ?? '');
  const filled = ({ args, env, ...command }: Command): Command => ({
    ...command,
    args: args.map(fill),
    ...(env && { env: Object.fromEntries(Object.entries(env).map(([name, value]) => [name, fill(value)])) }),
  });
  return { ...rung, steps: rung.steps.map(filled) };
}

function noteLeft({ context, input }: Workshop, broken: Broken | null): void {
  if (broken === null) return;
  const { command, cause } = broken;
  const step = [command.program, ...command.args].join(' ');
  context.log.warn({ plugin: input.plugin, step, cause: cause.kind }, 'a step that may fail has failed');
}
