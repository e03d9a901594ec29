/** What each leg is expected to reach, and how a run differs from it. */

import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parse } from 'yaml';
import type { Requirements, Scenario } from './suite.ts';

export interface ExpectedScores {
  /** Every scenario of the suite that we know of. */
  readonly scenarios: Readonly<
    Record<Requirements, { readonly scored: readonly string[]; readonly others: readonly string[] }>
  >;
  /** By leg: what fails, and why that is as it should be; whatever isn't named passes. */
  readonly legs: Readonly<
    Record<string, { readonly score: string; readonly fails?: Readonly<Record<string, string>> }>
  >;
}

export const readExpectedScores = async (): Promise<ExpectedScores> =>
  parse(await readFile(resolve('test/conformance/expected-scores.yml'), 'utf8'), { merge: true }) as ExpectedScores;

/** `30/30`, of the scored ones. */
export function scoreOf(scenarios: readonly Scenario[]): string {
  const scored = scenarios.filter((scenario) => scenario.scored);
  return `${scored.filter(({ failures }) => failures.length === 0).length}/${scored.length}`;
}

/** Sentences for whatever got worse or better than it is written down. */
export function differences(
  scenarios: readonly Scenario[],
  fails: Readonly<Record<string, string>> = {},
): readonly string[] {
  return scenarios.flatMap(({ name, failures }) => {
    if (failures.length > 0 && !Object.hasOwn(fails, name)) return [`${name} fails: ${failures.join('; ')}`];
    if (failures.length === 0 && Object.hasOwn(fails, name)) return [`${name} passes now: take it off the list`];
    return [];
  });
}
