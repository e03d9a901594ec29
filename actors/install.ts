import { mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { CauseKind } from '../launchers/plan.ts';
import type { Environment, Fallback, InstallActor, InstallInput } from '../machines/contracts.ts';
import { createFailure, type FailureCode } from '../machines/failure.ts';
import { withGaps } from './clone/gaps.ts';
import type { ActorContext } from './context.ts';
import { exists } from './exists.ts';
import { FailureError } from './failure-error.ts';
import { copyTree } from './install/copy-tree.ts';
import { environmentKey } from './install/key.ts';
import { type Ascent, climb } from './install/ladder.ts';
import { planHash, readInstalled, removeEnvironment, writeInstalled } from './install/marker.ts';
import { environmentLock, pruneEnvironments } from './install/prune.ts';
import { resolveStart } from './install/resolve-start.ts';
import { localBins, type Workshop } from './install/workshop.ts';
import { createJob } from './job.ts';
import { withHomeErrors } from './store/home-error.ts';
import { withTemp } from './with-temp.ts';

/**
 * Makes the environment that a plugin runs in: its own copy of the checkout, installed and built. One that is there and
 * whole is returned as it is; of many who ask at once, in any number of processes, one works and the others wait.
 */
export const createInstallActor = (context: ActorContext): InstallActor =>
  createJob('install', (input: InstallInput, signal) =>
    withHomeErrors(() => withGaps(input.plan.gaps, () => sayOffline(context, () => install(context, input, signal)))),
  );

/** Offline, packages come from caches: what then fails is missing there, whatever it says. */
async function sayOffline(context: ActorContext, work: () => Promise<Environment>): Promise<Environment> {
  try {
    return await work();
  } catch (error) {
    if (context.offline !== true || !(error instanceof FailureError)) throw error;
    const { code, message, exit, stderrTail, data } = error.failure;
    if (!BY_NETWORK.includes(code)) throw error;
    const failure = createFailure('INSTALL_OFFLINE', {
      message: `Offline, and the plugin is not installed: its packages are not all in the caches of this machine. (${message})`,
      exit,
      stderrTail,
      data: { ...data, missing: 'environment', code },
    });
    throw new FailureError(failure, { cause: error });
  }
}

/** What an install may fail with for want of the network. */
const BY_NETWORK: readonly FailureCode[] = [
  'INSTALL_NETWORK',
  'INSTALL_FAILED',
  'INSTALL_BUILD_FAILED',
  'INSTALL_ENTRY_MISSING',
];

/** Causes that a newer runtime may cure. */
const OUTDATED: readonly unknown[] = ['runtime-too-old', 'engine-mismatch'] satisfies CauseKind[];

/** With the tools that the plan names; with its newer ones where those say that they are too old. */
async function install(context: ActorContext, input: InstallInput, signal: AbortSignal): Promise<Environment> {
  if (input.runtime === 'newer') return installWith(context, newer(input), signal);
  try {
    return await installWith(context, input, signal);
  } catch (error) {
    const { newerTools = [] } = input.plan;
    if (!(error instanceof FailureError) || !OUTDATED.includes(error.failure.data.cause) || newerTools.length === 0) {
      throw error;
    }
    const { message, data } = error.failure;
    context.log.info({ plugin: input.plugin, tools: newerTools }, 'installing again with newer tools');
    const because: Fallback = { tried: 'install', cause: data.cause as CauseKind, detail: message };
    return installWith(context, newer({ ...input, because }), signal);
  }
}

/** The plan's newer tools in place of those of the same name. */
function newer(input: InstallInput): InstallInput {
  const { newerTools = [], ...plan } = input.plan;
  const tools = plan.tools.map((tool) => newerTools.find(({ name }) => name === tool.name) ?? tool);
  return { ...input, runtime: 'newer', plan: { ...plan, tools } };
}

async function installWith(context: ActorContext, input: InstallInput, signal: AbortSignal): Promise<Environment> {
  const { store, runtimes } = context;
  const { plugin, plan } = input;
  const provided = await runtimes.provide(plan.tools, signal);
  if (!provided.ok) throw new FailureError(provided.failure);
  const { toolset } = provided;
  const key = environmentKey(input, toolset);
  const dir = store.environmentDir(plugin, key);
  const launcher = (await context.launchers()).find(({ id }) => id === plan.launcher) ?? null;

  const environment = await store.withLock(environmentLock(plugin, key), signal, async () => {
    const installed = await readInstalled(dir);
    if (installed?.planHash === planHash(plan)) return installed.environment;
    return withTemp(store, 'install', (temp) => {
      const tree = join(dir, 'tree');
      const renew = () => putCheckout(context, input, tree, signal);
      const workshop: Workshop = { context, input, launcher, toolset, tree, temp, signal, renew };
      return installed === null ? make(workshop, dir, key) : changeStart(workshop, dir, installed.environment);
    });
  });
  await store.writeFacts(plugin, { environment });
  await pruneEnvironments(context, plugin, key);
  return environment;
}

/** From nothing; on failure and on cancel nothing is left of it. */
async function make(workshop: Workshop, dir: string, key: string): Promise<Environment> {
  const { plan } = workshop.input;
  let whole = false;
  try {
    await removeEnvironment(dir);
    await mkdir(dir, { recursive: true, mode: 0o700 });
    await workshop.renew();
    const environment = await describe(workshop, key, await climb(workshop));
    await writeInstalled(dir, environment, plan);
    whole = true;
    return environment;
  } finally {
    if (!whole) await removeEnvironment(dir);
  }
}

async function putCheckout(context: ActorContext, input: InstallInput, tree: string, signal: AbortSignal) {
  const { plugin, plan, checkout } = input;
  await removeTree(tree);
  const leftOut = await copyTree(checkout.dir, tree, { withoutInstalled: plan.install.length > 0, signal });
  if (leftOut.length > 0)
    context.log.warn({ plugin, links: leftOut }, 'links that lead out of the plugin are left out');
}

/** The files are there; the plan starts them in another way. They stay, also when that can't be. */
async function changeStart(workshop: Workshop, dir: string, before: Environment): Promise<Environment> {
  const made = await resolveStart(workshop);
  if (!made.ok) throw new FailureError(made.failure);
  const { rung, fallbacks } = before;
  const changed = await describe(workshop, before.key, { rung, fallbacks, plan: made.plan });
  await writeInstalled(dir, changed, workshop.input.plan);
  return changed;
}

async function describe(workshop: Workshop, key: string, { rung, plan, fallbacks }: Ascent): Promise<Environment> {
  const { tree, toolset } = workshop;
  const path: string[] = [];
  for (const bin of localBins(workshop)) if (await exists(bin)) path.push(bin);
  // Where there is a venv, `python` is the venv's: the plugin's packages are nowhere else.
  const venv = path.find((bin) => dirname(bin).endsWith('.venv'));
  const python = venv && (await exists(join(venv, 'python'))) ? join(venv, 'python') : null;
  return {
    key,
    dir: tree,
    plan,
    programs: { ...toolset.programs, ...(python && { python, python3: python }) },
    path: [...path, ...toolset.path],
    rung,
    fallbacks,
  };
}

/** Retried: a process that is just ending may still write into it. */
const removeTree = (dir: string) => rm(dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
