import { stat } from 'node:fs/promises';
import type { Candidate, LaunchPlan } from '../../launchers/plan.ts';
import { createFailure } from '../../machines/failure.ts';
import { FailureError } from '../failure-error.ts';
import { createFileView } from '../file-view.ts';
import { type Broken, failureOf, inTree, run, type Workshop } from './workshop.ts';

/**
 * The plan with the start candidates that can run, after building if the first choice is not there yet. A build that
 * fails counts for nothing when it wrote the entry all the same (`tsc` with type errors does).
 */
export async function resolveStart(workshop: Workshop): Promise<LaunchPlan> {
  const { context, input } = workshop;
  const installed = resolve(workshop);
  if (input.plan.build.length === 0 || (await isBuilt(workshop, installed))) {
    return withStart(workshop, installed, null);
  }
  const broken = await build(workshop);
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

/**
 * True when the first choice is there. A later one that is (a library's `index.js` beside an unbuilt program) says
 * nothing, and neither does one that names no file.
 */
async function isBuilt({ tree }: Workshop, { start }: LaunchPlan): Promise<boolean> {
  const first = start.find(({ entry }) => entry !== null);
  return first !== undefined && (await canStart(tree, first));
}

/** Every step, also after one that failed: what it was to make may be there. The first that failed, or null. */
async function build(workshop: Workshop): Promise<Broken | null> {
  let first: Broken | null = null;
  for (const command of workshop.input.plan.build) {
    const broken = await run(workshop, command);
    first ??= broken;
    if (broken?.cause.kind === 'out-of-disk') return broken;
  }
  return first;
}

async function withStart(workshop: Workshop, plan: LaunchPlan, broken: Broken | null): Promise<LaunchPlan> {
  const start: Candidate[] = [];
  for (const candidate of plan.start) if (await canStart(workshop.tree, candidate)) start.push(candidate);
  // A candidate that names no file can't tell whether the build made what it runs: then the build's word counts.
  const proven = broken === null || start.some(({ entry }) => entry !== null);
  if (start.length > 0 && proven) return { ...plan, start };
  const expected = plan.start.flatMap(({ entry }) => entry ?? []);
  if (broken !== null) throw new FailureError(failureOf(workshop, broken, 'INSTALL_BUILD_FAILED', { expected }));
  throw new FailureError(
    createFailure('INSTALL_ENTRY_MISSING', {
      message:
        expected.length === 0
          ? 'Installed, but nothing in it says what to start.'
          : `Installed and built, but there is no ${expected.join(', no ')}.`,
      data: { expected },
    }),
  );
}

const canStart = async (tree: string, { entry }: Candidate): Promise<boolean> =>
  entry === null ||
  stat(inTree(tree, entry)).then(
    (found) => found.isFile(),
    () => false,
  );
