import type { Confinement } from '../../actors/confinement/describe.ts';
import { showLimit } from '../../actors/confinement/limits.ts';

const KEPT = { cgroup: 'kept by a cgroup', sample: 'looked at each second', rlimit: 'for each process' } as const;

/** What a start would be confined by, one line each; none for what is as usual. */
export function confinementRows({ environment, limits, user, sandbox }: Confinement): readonly string[] {
  return [
    ...(environment === 'inherit' ? ['gets all of your environment'] : []),
    ...(typeof environment === 'string' ? [] : [`gets of your environment also ${environment.join(', ')}`]),
    ...Object.entries(limits).map(
      ([name, { allowed, kept }]) =>
        `${name} at most ${showLimit(name, allowed)}, ${kept === null ? 'which nothing can keep here' : KEPT[kept]}`,
    ),
    ...(user === null ? [] : [`runs as ${user}`]),
    ...(sandbox === null ? [] : sandboxRows(sandbox)),
  ];
}

function sandboxRows({ program, network, data, read, write }: NonNullable<Confinement['sandbox']>): readonly string[] {
  return [
    `sandbox by ${program ?? 'bubblewrap, which is not installed'}${network === 'off' ? ', without a network' : ''}`,
    `writes to ${[data, ...write].join(', ')}`,
    ...(read.length === 0 ? [] : [`reads ${read.join(', ')}`]),
  ];
}
