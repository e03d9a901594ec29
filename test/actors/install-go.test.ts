/** The go command itself, on the ladders that the launcher plans. */

import { execFile } from 'node:child_process';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createFileView } from '../../actors/file-view.ts';
import { createGoLauncher } from '../../launchers/go.ts';
import { isRefusal, type LaunchPlan } from '../../launchers/plan.ts';
import { planFor } from '../../launchers/table.ts';
import type { Environment } from '../../machines/contracts.ts';
import { needsRegistries } from '../support/registries.ts';
import { createSpec } from '../support/spec.ts';
import { createHarness, done, failed, type Harness } from './install-harness.ts';

let harness: Harness;

// What `go env -w` and a shell's profile may hold, each of which breaks a careless build.
const traps = {
  GOFLAGS: '-mod=vendor',
  GOTOOLCHAIN: 'local',
  GOROOT: '/nowhere',
  GOBIN: '/nowhere',
  GOWORK: '/nowhere/go.work',
  GO111MODULE: 'off',
};

async function begin(env: Readonly<Record<string, string>> = {}): Promise<void> {
  harness = await createHarness({ ...traps, ...env });
  Object.assign(harness.context, { launchers: async () => [createGoLauncher()] });
}

beforeEach(() => begin());
afterEach(() => harness[Symbol.asyncDispose]());

async function planned(files: Readonly<Record<string, string>>): Promise<{ dir: string; plan: LaunchPlan }> {
  const dir = await harness.checkout(files);
  const plan = planFor(createFileView(dir), createSpec());
  if (isRefusal(plan)) throw new Error(plan.message);
  return { dir, plan };
}

async function installed(files: Readonly<Record<string, string>>): Promise<Environment> {
  const { dir, plan } = await planned(files);
  return done(harness.install(dir, plan));
}

/** What the built program prints. */
async function says({ dir, plan }: Environment): Promise<string> {
  const [first] = plan.start;
  if (first === undefined) throw new Error('nothing to start');
  return (await promisify(execFile)(join(dir, first.command.program), first.command.args)).stdout.trim();
}

const MOD = 'module example.com/weather\n\ngo 1.21\n';
const UUID = 'github.com/google/uuid';
const program = (body: string, ...imports: readonly string[]) =>
  `package main\n\nimport (\n${['fmt', ...imports].map((path) => `\t"${path}"\n`).join('')})\n\nfunc main() {\n\t${body}\n}\n`;
const NIL = program('fmt.Println(uuid.Nil)', UUID);
const NIL_SAYS = '00000000-0000-0000-0000-000000000000';

describe('go', () => {
  needsRegistries('go');

  it('builds a program below cmd, whatever the user’s own switches say', async () => {
    const environment = await installed({ 'go.mod': MOD, 'cmd/weather/main.go': program('fmt.Println("sunny")') });
    expect(environment.rung).toBe('go-build');
    expect(await says(environment)).toBe('sunny');
  });

  it('writes a go.sum that is missing, and completes one that is stale', async () => {
    const mod = `${MOD}\nrequire ${UUID} v1.6.0\n`;
    const anew = await installed({ 'go.mod': mod, 'main.go': NIL });
    expect(anew.rung).toBe('go-build');
    expect(await says(anew)).toBe(NIL_SAYS);
    await rm(join(harness.home.root, 'checkout'), { recursive: true });
    const { dir, plan } = await planned({ 'go.mod': mod, 'go.sum': '', 'main.go': NIL });
    const completed = await done(harness.install(dir, plan, { plugin: 'stale' }));
    expect(completed.rung).toBe('go-build-mod');
    expect(await says(completed)).toBe(NIL_SAYS);
  });

  it('finds what a program without a go.mod imports', async () => {
    expect(await says(await installed({ 'main.go': NIL }))).toBe(NIL_SAYS);
  });

  it('leaves a vendor folder that does not fit', async () => {
    const environment = await installed({
      'go.mod': `${MOD}\nrequire ${UUID} v1.6.0\n`,
      'main.go': NIL,
      'vendor/modules.txt': `# ${UUID} v1.5.0\n`,
    });
    expect(environment.rung).toBe('go-build-mod');
    expect(await says(environment)).toBe(NIL_SAYS);
  });

  it('does without a workspace whose members are elsewhere', async () => {
    const environment = await installed({
      'go.work': 'go 1.21\n\nuse (\n\t./server\n\t../elsewhere\n)\n',
      'server/go.mod': MOD,
      'server/main.go': program('fmt.Println("alone")'),
    });
    expect(environment.rung).toBe('go-build-without-workspace');
    expect(await says(environment)).toBe('alone');
  });

  const EMBEDS = `${program('b, err := web.ReadFile("web/dist/index.html")\n\tfmt.Println(string(b), err)', 'embed')}
//go:embed web/dist
var web embed.FS
`;

  it('embeds an empty page where nothing builds it', async () => {
    const environment = await installed({ 'go.mod': MOD, 'main.go': EMBEDS });
    expect(environment.rung).toBe('go-build-without-pages');
    expect(await says(environment)).toBe('<nil>');
  });

  it('says where the source is broken', async () => {
    const { dir, plan } = await planned({ 'go.mod': MOD, 'main.go': program('fmt.Println(nothing)') });
    const failure = await failed(harness.install(dir, plan));
    expect(failure).toMatchObject({ code: 'INSTALL_FAILED', data: { cause: 'build-failed' } });
    expect(failure.message).toContain('undefined: nothing');
  });

  it('that can not reach the module proxy is a failure of the network', async () => {
    const cache = join(harness.home.root, 'modules');
    await harness[Symbol.asyncDispose]();
    await begin({ GOPROXY: 'http://127.0.0.1:9', GOMODCACHE: cache, GONOSUMDB: '*' });
    await mkdir(cache, { recursive: true });
    const { dir, plan } = await planned({ 'go.mod': `${MOD}\nrequire ${UUID} v1.6.0\n`, 'main.go': NIL });
    expect(await failed(harness.install(dir, plan))).toMatchObject({ code: 'INSTALL_NETWORK', retryable: true });
    await rm(cache, { recursive: true });
  });
});

describe('go with npm', () => {
  needsRegistries('go', 'npm');

  it('builds the page that it embeds', async () => {
    const body = 'b, _ := web.ReadFile("web/dist/index.html")\n\tfmt.Println(string(b))';
    const environment = await installed({
      'go.mod': MOD,
      'main.go': `${program(body, 'embed')}\n//go:embed all:web/dist\nvar web embed.FS\n`,
      'web/package.json':
        '{"name":"web","version":"1.0.0","scripts":{"build":"mkdir dist && echo page > dist/index.html"}}',
    });
    expect(environment.rung).toBe('go-build-with-pages');
    expect(await says(environment)).toBe('page');
  });
});
