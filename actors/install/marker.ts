/** `installed.json` beside an environment's tree: written last, so a tree without it is half-made. */

import { constants } from 'node:fs';
import { access, readFile, rm } from 'node:fs/promises';
import { dirname, isAbsolute, join } from 'node:path';
import type { LaunchPlan } from '../../launchers/plan.ts';
import type { Environment } from '../../machines/contracts.ts';
import { atomicWrite } from '../store/atomic-write.ts';
import { hash } from './key.ts';

export const MARKER = 'installed.json';

export interface Installed {
  /** The environment's, first in the file: enough for survey to know it by. */
  readonly key: string;
  readonly environment: Environment;
  /** Hash of the plan before `resolve`: the same tree may be asked to start in another way. */
  readonly planHash: string;
  /** `process.versions.modules` of the Node that native modules were built for; null when ours plays no part. */
  readonly abi: string | null;
}

export const planHash = (plan: LaunchPlan): string => hash(plan);

/** What is installed in an environment's folder; null when nothing is, or it can't run any more. */
export async function readInstalled(dir: string): Promise<Installed | null> {
  try {
    const installed = JSON.parse(await readFile(join(dir, MARKER), 'utf8')) as Installed;
    return (await canRun(installed)) ? installed : null;
  } catch {
    return null;
  }
}

/** True when the environment is whole and the programs it runs with are still there. A few file system calls. */
export async function isInstalled(environment: Environment): Promise<boolean> {
  const installed = await readInstalled(dirname(environment.dir));
  return installed?.environment.key === environment.key;
}

/**
 * Removes an environment, its marker first: a kill in the middle must not leave a marker on half a tree. Retried: a
 * process that is just ending may still write into it.
 */
export async function removeEnvironment(dir: string): Promise<void> {
  await rm(join(dir, MARKER), { recursive: true, force: true });
  await rm(dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
}

async function canRun({ environment, abi }: Installed): Promise<boolean> {
  if (abi !== null && abi !== process.versions.modules) return false;
  // A venv's Python is a link to one of the system's, which goes with an upgrade.
  const programs = Object.values(environment.programs).filter(isAbsolute);
  await Promise.all([access(environment.dir), ...programs.map((program) => access(program, constants.X_OK))]);
  return true;
}

export async function writeInstalled(dir: string, environment: Environment, plan: LaunchPlan): Promise<void> {
  const abi = environment.programs.node === process.execPath ? (process.versions.modules ?? null) : null;
  const installed: Installed = { key: environment.key, environment, planHash: planHash(plan), abi };
  await atomicWrite(join(dir, MARKER), `${JSON.stringify(installed, null, 2)}\n`);
}
