/** A server that runs elsewhere: nothing of it is fetched, installed or started; the plan says where it is. */

import { createBasePlan } from './base-plan.ts';
import type { LaunchPlan, PluginSpec } from './plan.ts';

export function planRemote({ source, overrides }: Pick<PluginSpec, 'source' | 'overrides'>): LaunchPlan {
  const url = source.kind === 'remote' ? source.url : '';
  return {
    ...createBasePlan('remote', 'remote', ''),
    port: { env: [], args: [], fixed: null },
    transport: overrides.transport ?? 'auto',
    endpoint: /^[a-z]+:\/\/[^/?#]*(\/[^#]*)?/i.exec(url)?.[1] ?? '/',
    confidence: 'high',
    evidence: [{ file: '', says: 'it is an address: nothing is fetched, installed or started' }],
  };
}
