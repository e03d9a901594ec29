/** What every reliability test starts from: a supervisor on a home of its own, and servers that misbehave on request. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { vi } from 'vitest';
import { SupervisorError } from '../../src/errors.ts';
import type { PluginOptions, Supervisor, SupervisorOptions, ToolResult } from '../../src/options.ts';
import { createSupervisor } from '../../src/supervisor.ts';
import { createHome, type TestHome } from '../support/home.ts';
import { expectNothingLeft } from '../support/leftovers.ts';

/** A folder below `fixtures`. */
export const fixture = (path: string) => fileURLToPath(new URL(`../../fixtures/${path}`, import.meta.url));

export interface Stage extends AsyncDisposable {
  readonly home: TestHome;
  readonly supervisor: Supervisor;
  /** `warn`/`error` lines of the supervisor's logger. */
  readonly complaints: readonly string[];
}

/** Closed and checked for leftovers (processes, temp files) when it is disposed of: `await using stage = await createStage(…)`. */
export async function createStage(options: SupervisorOptions = {}): Promise<Stage> {
  const home = await createHome();
  const complaints: string[] = [];
  const complain = (fields: object, message: string) => complaints.push(`${message} ${JSON.stringify(fields)}`);
  const logger = { debug() {}, info() {}, warn: complain, error: complain };
  const supervisor = createSupervisor({ home: home.path, env: home.env, logger, ...options });
  return {
    home,
    supervisor,
    complaints,
    async [Symbol.asyncDispose]() {
      await supervisor.close();
      await expectNothingLeft(home);
      await home[Symbol.asyncDispose]();
    },
  };
}

/** `fixtures/plugins/puppet`: what it does before it is ready is `mode` (`exit:3`, `silent`, `stubborn` …), tools do the rest. */
export const puppet = (mode = '', more: Partial<PluginOptions> = {}): PluginOptions => ({
  source: fixture('plugins/puppet'),
  ...more,
  env: { PUPPET: mode, ...more.env },
});

/** A program of `fixtures/processes`, run as it is: `program('node', 'mcp/http.mjs')`. */
export const program = (command: readonly string[], more: Partial<PluginOptions> = {}): PluginOptions => ({
  source: fixture('processes'),
  command,
  install: [],
  build: [],
  ...more,
});

/** A file for PUPPET_LOG. */
export const logOf = (home: TestHome, name = 'puppet'): string => join(home.root, `${name}.log`);

export const linesOf = async (path: string): Promise<readonly string[]> =>
  (await readFile(path, 'utf8').catch(() => '')).split('\n').filter((line) => line !== '');

/** Polls until `look` gives something other than undefined or false; fails with what it said last. */
export const eventually = <T>(look: () => T | Promise<T>, patience = 30_000): Promise<Exclude<T, undefined | false>> =>
  vi.waitFor(
    async () => {
      const seen = await look();
      if (seen === undefined || seen === false) throw new Error(`still ${String(seen)}: ${look}`);
      return seen as Exclude<T, undefined | false>;
    },
    { timeout: patience, interval: 10 },
  );

export const textOf = (result: ToolResult): string => result.content?.[0]?.text ?? '';

/** What a call or a command was rejected with; fails when it was not, or with anything else. */
export const failureOf = (work: Promise<unknown>): Promise<SupervisorError> =>
  work.then(
    (result) => Promise.reject(new Error(`it gave ${JSON.stringify(result)}`)),
    (error: unknown) => (SupervisorError.is(error) ? error : Promise.reject(error)),
  );

/** The states that a plugin went through, oldest first. */
export const statesOf = (supervisor: Supervisor, name: string): readonly string[] =>
  supervisor.history(name).map(({ state }) => state);
