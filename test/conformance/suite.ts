/** Runs the official conformance suite in a process of its own and reads what it found. */

import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { parse } from 'yaml';

/** A frozen list of scenarios; each runs at the revision's own wire. */
export type Requirements = '2025-11-25' | '2026-07-28';

export interface Scenario {
  readonly name: string;
  /** Counts: it was there when the revision was released, and is no extension. */
  readonly scored: boolean;
  /** What failed of it; none: it passed. */
  readonly failures: readonly string[];
  readonly checks: number;
}

// From the project's folder, where both the tests and `npm run conformance` are started: the latter is a bundle elsewhere.
const suite = resolve('node_modules/@modelcontextprotocol/conformance');
const node20 = resolve('test/conformance/node20/register.mjs');

/** The scenarios of a server, in the suite's order. */
export async function runServerSuite(url: string, requirements: Requirements): Promise<readonly Scenario[]> {
  const folder = await mkdtemp(join(tmpdir(), 'mcps-conformance-'));
  try {
    const of = ['server', '--url', url, '--requirements', requirements, '-o', folder];
    const args = ['--import', node20, join(suite, 'dist/index.js'), ...of];
    // It exits with 1 when a scored scenario fails; what it found is in its files either way.
    const { stdout, stderr } = await promisify(execFile)(process.execPath, args, { maxBuffer: 1 << 28 }).catch(
      (error: { stdout: string; stderr: string }) => error,
    );
    const results = await readdir(folder);
    if (results.length === 0) throw new Error(`the suite did not run: ${stderr}\n${stdout}`);
    const names = await scenariosOf(requirements);
    return await Promise.all(
      names.map(async ({ name, scored }) => {
        const result = results.find((entry) => entry.startsWith(`server-${name}-20`));
        if (result === undefined) return { name, scored, failures: ['it could not be run'], checks: 0 };
        const checks = JSON.parse(await readFile(join(folder, result, 'checks.json'), 'utf8')) as readonly Check[];
        const failed = checks.filter(({ status }) => status === 'FAILURE');
        const failures = failed.map(({ id, errorMessage }) => `${id}: ${errorMessage ?? 'no message'}`);
        return { name, scored, failures, checks: checks.length };
      }),
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

interface Check {
  readonly id: string;
  readonly status: 'SUCCESS' | 'FAILURE' | 'WARNING' | 'SKIPPED' | 'INFO';
  readonly errorMessage?: string;
}

async function scenariosOf(requirements: Requirements): Promise<readonly Pick<Scenario, 'name' | 'scored'>[]> {
  const set = parse(await readFile(join(suite, `requirements/${requirements}.yaml`), 'utf8')) as {
    readonly server: readonly string[];
    readonly not_scored: readonly { readonly scenario: string; readonly leg: string }[];
  };
  const others = set.not_scored.filter(({ leg }) => leg === 'server').map(({ scenario }) => scenario);
  return [...set.server.map((name) => ({ name, scored: true })), ...others.map((name) => ({ name, scored: false }))];
}
