import { createHash } from 'node:crypto';
import type { InstallInput } from '../../machines/contracts.ts';
import type { Toolset } from '../runtimes.ts';

/** Raised when an installed tree would look different from the same input, so that old ones are made anew. */
const FORMAT = 1;

/** Names an environment by all that its files depend on; how it is started plays no part. */
export function environmentKey({ checkout, spec, plan, dependencies }: InstallInput, toolset: Toolset): string {
  const { launcher, projectDir, tools, install, build, buildOtherwise, rebuild } = plan;
  const { platform, arch } = process;
  const versions = Object.entries(toolset.versions).sort();
  const steps = { launcher, projectDir, tools, install, build, buildOtherwise, rebuild };
  return hash([FORMAT, checkout.commit, spec.source.subdir, steps, versions, platform, arch, dependencies]).slice(
    0,
    16,
  );
}

export const hash = (value: unknown): string => createHash('sha256').update(JSON.stringify(value)).digest('hex');
