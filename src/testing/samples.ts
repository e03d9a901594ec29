/** Values of every contract's types, complete and plausible; pass what a test is about. */

import { createBasePlan } from '../../launchers/base-plan.ts';
import type { LaunchPlan, PluginSpec } from '../../launchers/plan.ts';
import type { Attempt, Checkout, Environment, Survey } from '../../machines/contracts.ts';
import type { Stage } from '../../machines/states.ts';
import { createSecrets } from '../credential.ts';

export const sampleSpec = (changes: Partial<PluginSpec> = {}): PluginSpec => ({
  source: { kind: 'git', url: 'https://git.example/owner/plugin.git', ref: null, subdir: '' },
  overrides: {},
  env: createSecrets({}),
  envPolicy: 'minimal',
  restart: 'transient',
  activation: 'lazy',
  idleStop: 300_000,
  protocol: 'auto',
  timeouts: {},
  ...changes,
});

export const sampleCheckout = (changes: Partial<Checkout> = {}): Checkout => ({
  dir: '/home/checkouts/1a2b/c0ffee',
  commit: 'c0ffee',
  committedAt: '2026-01-01T00:00:00Z',
  ...changes,
});

export const samplePlan = (changes: Partial<LaunchPlan> = {}): LaunchPlan => ({
  ...createBasePlan('node', 'node', ''),
  tools: [{ name: 'node', version: null }],
  start: [{ id: 'bin', command: { program: 'node', args: ['server.js'], cwd: '' }, entry: 'server.js' }],
  transport: 'stdio',
  port: { env: ['PORT'], args: [], fixed: null },
  confidence: 'high',
  evidence: [{ file: 'package.json', says: 'bin' }],
  ...changes,
});

/** A plan with that many ways to start. */
export const samplePlanWithCandidates = (count: number): LaunchPlan =>
  samplePlan({
    start: Array.from({ length: count }, (_, index) => ({
      id: `candidate-${index}`,
      command: { program: 'node', args: [`server-${index}.js`], cwd: '' },
      entry: `server-${index}.js`,
    })),
  });

export const sampleEnvironment = (changes: Partial<Environment> = {}): Environment => ({
  key: 'e1',
  dir: '/home/envs/plugin/e1/tree',
  plan: samplePlan(),
  programs: { node: '/usr/bin/node' },
  path: [],
  rung: null,
  fallbacks: [],
  ...changes,
});

export const sampleAttempt = (changes: Partial<Attempt> = {}): Attempt => ({
  candidate: 0,
  port: 'none',
  transport: 'stdio',
  endpoint: null,
  era: 'auto',
  dependencies: 'declared',
  runtime: 'declared',
  ...changes,
});

/** What survey knows when that stage is the first stale one. */
export function sampleSurvey(stale: Stage, changes: Partial<Survey> = {}): Survey {
  return {
    stale,
    checkout: stale === 'cloning' ? null : sampleCheckout(),
    plan: stale === 'cloning' || stale === 'detecting' ? null : samplePlan(),
    environment: stale === 'launching' ? sampleEnvironment() : null,
    attempt: sampleAttempt(),
    blocked: null,
    ...changes,
  };
}
