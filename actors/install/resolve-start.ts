import { stat } from 'node:fs/promises';
import type { Candidate, Cause, Command, LaunchPlan } from '../../launchers/plan.ts';
import { createFailure, type Failure } from '../../machines/failure.ts';
import { createFileView } from '../file-view.ts';
import { type Broken, failureOf, inTree, run, type Workshop } from './workshop.ts';

/** Nothing is there to start: the build failed, or (without a cause) did not make what was expected. */
export interface BuildBroke {
  readonly ok: false;
  readonly cause: Cause | null;
  readonly failure: Failure;
}

export type Resolved = { readonly ok: true; readonly plan: LaunchPlan } | BuildBroke;

/**
 * The plan with the start candidates that can run, after building if the first choice is not there yet. A build that
 * fails counts for nothing when it wrote the entry all the same (`tsc` with type errors does).
 */
export async function resolveStart(workshop: Workshop): Promise<Resolved> {
  const { context, input } = workshop;
  const installed = resolve(workshop);
  const { build: steps, rebuild } = input.plan;
  if (steps.length === 0 || (rebuild !== true && (await isBuilt(workshop, installed)))) {
    return withStart(workshop, installed, null);
  }
  const before = await ready(workshop);
  const broken = await build(workshop, steps);
  const made = (await ready(workshop)).some((entry) => !before.includes(entry));
  if (!made && !(await isBuilt(workshop, resolve(workshop)))) {
    await build(workshop, input.plan.buildOtherwise ?? []);
  }
  const built = resolve(workshop);
  if (broken !== null && (await isBuilt(workshop, built))) {
    context.log.warn(
      { plugin: input.plugin, cause: broken.cause.kind },
      'the build failed but wrote its entry; going on',
    );
  }
  return withStart(workshop, built, broken);
}

function resolve({ launcher, input, tree }: Workshop): LaunchPlan {
  if (launcher === null) return input.plan;
  return launcher.resolve(createFileView(tree, { installed: true }), input.plan);
}

/** Entries of the candidates that could start now. */
async function ready(workshop: Workshop): Promise<readonly string[]> {
  const entries: string[] = [];
  for (const candidate of resolve(workshop).start) {
    if (candidate.entry !== null && (await canStart(workshop.tree, candidate))) entries.push(candidate.entry);
  }
  return entries;
}

/**
 * True when the first choice is there. A later one that is (a library's `index.js` beside an unbuilt program) says
 * nothing, and neither does one that names no file.
 */
async function isBuilt({ tree }: Workshop, { start }: LaunchPlan): Promise<boolean> {
  const first = start.find(({ entry }) => entry !== null);
  return first !== undefined && (await canStart(tree, first));
}

/** Every step, also after one that failed: what it was to make may be there. The first that failed, or null. */
async function build(workshop: Workshop, steps: readonly Command[]): Promise<Broken | null> {
  let first: Broken | null = null;
  for (const command of steps) {
    const broken = await run(workshop, command);
    first ??= broken;
    if (broken?.cause.kind === 'out-of-disk') return broken;
  }
  return first;
}

async function withStart(workshop: Workshop, plan: LaunchPlan, broken: Broken | null): Promise<Resolved> {
  const start: Candidate[] = [];
  for (const candidate of plan.start) if (await canStart(workshop.tree, candidate)) start.push(candidate);
  // A candidate that names no file can't tell whether the build made what it runs: then the build's word counts.
  const proven = broken === null || start.some(({ entry }) => entry !== null);
  if (start.length > 0 && proven) return { ok: true, plan: { ...plan, start } };
  const expected = plan.start.flatMap(({ entry }) => entry ?? []);
  if (broken !== null) {
    const failure = failureOf(workshop, broken, 'INSTALL_BUILD_FAILED', { expected });
    return { ok: false, cause: broken.cause, failure };
  }
  const message =
    expected.length === 0
      ? 'Installed, but nothing in it says what to start.'
      : `Installed and built, but there is no ${expected.join(', no ')}.`;
  return { ok: false, cause: null, failure: createFailure('INSTALL_ENTRY_MISSING', { message, data: { expected } }) };
}

const canStart = async (tree: string, { entry }: Candidate): Promise<boolean> =>
  entry === null ||
  stat(inTree(tree, entry)).then(
    (found) => found.isFile(),
    () => false,
  );
