import { mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Environment, InstallActor, InstallInput } from '../machines/contracts.ts';
import type { ActorContext } from './context.ts';
import { exists } from './exists.ts';
import { FailureError } from './failure-error.ts';
import { copyTree } from './install/copy-tree.ts';
import { environmentKey } from './install/key.ts';
import { climb } from './install/ladder.ts';
import { planHash, readInstalled, writeInstalled } from './install/marker.ts';
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
  createJob('install', (input: InstallInput, signal) => withHomeErrors(() => install(context, input, signal)));

async function install(context: ActorContext, input: InstallInput, signal: AbortSignal): Promise<Environment> {
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
      const workshop: Workshop = { context, input, launcher, toolset, tree: join(dir, 'tree'), temp, signal };
      return installed === null ? make(workshop, dir, key) : changeStart(workshop, dir, installed.environment);
    });
  });
  await store.writeFacts(plugin, { environment });
  await pruneEnvironments(context, plugin, key);
  return environment;
}

/** From nothing; on failure and on cancel nothing is left of it. */
async function make(workshop: Workshop, dir: string, key: string): Promise<Environment> {
  const { context, input, tree, signal } = workshop;
  const { plugin, plan, checkout } = input;
  let whole = false;
  try {
    await rm(dir, { recursive: true, force: true });
    await mkdir(dir, { recursive: true, mode: 0o700 });
    const leftOut = await copyTree(checkout.dir, tree, { withoutInstalled: plan.install.length > 0, signal });
    if (leftOut.length > 0)
      context.log.warn({ plugin, links: leftOut }, 'links that lead out of the plugin are left out');
    const rung = await climb(workshop);
    const environment = await describe(workshop, key, rung);
    await writeInstalled(dir, environment, plan);
    whole = true;
    return environment;
  } finally {
    if (!whole) await removeTree(dir);
  }
}

/** The files are there; the plan starts them in another way. They stay, also when that can't be. */
async function changeStart(workshop: Workshop, dir: string, { key, rung }: Environment): Promise<Environment> {
  const changed = await describe(workshop, key, rung);
  await writeInstalled(dir, changed, workshop.input.plan);
  return changed;
}

async function describe(workshop: Workshop, key: string, rung: string | null): Promise<Environment> {
  const { tree, toolset } = workshop;
  const plan = await resolveStart(workshop);
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
  };
}

/** Retried: a process that is just ending may still write into it. */
const removeTree = (dir: string) => rm(dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
