/** The official conformance suite against us as a client of a `url`, compared with `expected-client.yml`. */

import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { bundleProgram } from '../support/program.ts';

interface Expected {
  readonly scenarios: readonly string[];
  /** Reasons by scenario. */
  readonly fails: Readonly<Record<string, string>>;
}

const suite = resolve('node_modules/@modelcontextprotocol/conformance');
const node20 = resolve('test/conformance/node20/register.mjs');
const expected = parse(await readFile(resolve('test/conformance/expected-client.yml'), 'utf8')) as Record<
  string,
  Expected
>;
/** Milliseconds; nothing of a scenario takes more than seconds. */
const PATIENCE = 60_000;

let program: string;
beforeAll(async () => {
  program = await bundleProgram('conformance/client.ts');
});

/** What failed of one scenario; none: it passed. */
async function run(scenario: string, revision: string): Promise<readonly string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'mcps-conformance-'));
  try {
    const command = `${process.execPath} ${program}`;
    const args = ['client', '--command', command, '--scenario', scenario, '--spec-version', revision, '-o', folder];
    const { stdout, stderr } = await promisify(execFile)(
      process.execPath,
      ['--import', node20, join(suite, 'dist/index.js'), ...args, '--timeout', String(PATIENCE)],
      { maxBuffer: 1 << 26 },
    ).catch((error: { stdout: string; stderr: string }) => error);
    const [result] = await readdir(folder);
    if (result === undefined) throw new Error(`the suite did not run: ${stderr}\n${stdout}`);
    const checks = JSON.parse(await readFile(join(folder, result, 'checks.json'), 'utf8')) as readonly Check[];
    const failed = checks.filter(({ status }) => status === 'FAILURE' || status === 'WARNING');
    const exit = /CLIENT EXITED WITH ERROR|Client timed out/.test(stdout + stderr) ? [stderr] : [];
    return [...failed.map(({ id, errorMessage }) => `${id}: ${errorMessage ?? 'no message'}`), ...exit];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

interface Check {
  readonly id: string;
  readonly status: string;
  readonly errorMessage?: string;
}

describe.each(Object.entries(expected))('conformance as a client: %s', (revision, { scenarios, fails }) => {
  test('every scored scenario outside auth/ is expected', async () => {
    const set = parse(await readFile(join(suite, `requirements/${revision}.yaml`), 'utf8')) as {
      client: readonly string[];
    };
    const scored = set.client.filter((name) => !name.startsWith('auth/'));
    expect(scored.toSorted()).toEqual(scenarios.toSorted());
  });

  test.each(scenarios)('%s', async (scenario) => {
    const failures = await run(scenario, revision);
    if (fails[scenario] === undefined) expect(failures).toEqual([]);
    else expect(failures).not.toEqual([]);
  });
});
