import { expect, it } from 'vitest';
import type { LaunchPlan } from '../../launchers/plan.ts';
import { planAsText } from '../../src/cli/render-plan.ts';
import { createStyle } from '../../src/cli/terminal.ts';

const plan: LaunchPlan = {
  launcher: 'python',
  runtime: 'python',
  projectDir: 'src/time',
  tools: [
    { name: 'uv', version: null },
    { name: 'python', version: '>=3.10' },
  ],
  install: [
    {
      id: 'uv-sync-frozen',
      steps: [{ program: 'uv', args: ['sync', '--frozen'], cwd: 'src/time', env: { UV_FROZEN: '1' } }],
      cures: 'any',
    },
    { id: 'uv-sync', steps: [{ program: 'uv', args: ['sync'], cwd: 'src/time' }], cures: ['lock-out-of-date'] },
  ],
  build: [],
  start: [
    { id: 'script:time', command: { program: '.venv/bin/time', args: [], cwd: 'src/time' }, entry: '.venv/bin/time' },
    { id: 'module', command: { program: 'python', args: ['-m', 'time server'], cwd: '' }, entry: null },
  ],
  transport: 'auto',
  port: { env: ['PORT'], args: ['--port', '{port}'], fixed: null },
  socket: null,
  endpoint: null,
  health: null,
  readyPattern: null,
  env: {},
  wants: [
    { name: 'API_KEY', required: true, secret: true },
    { name: 'REGION', required: false, secret: false, description: 'Where\nelse' },
  ],
  confidence: 'high',
  evidence: [
    { file: 'src/time/pyproject.toml', line: 12, says: 'a console script\u001b[2J' },
    { file: '', says: 'you said so' },
  ],
  passedOver: [{ file: 'src/time/pyproject.toml', line: 13, what: 'script setup', why: 'is a helper' }],
};

const report = {
  name: 'servers-time',
  source: 'https://host/servers.git#:src/time',
  commit: '0123456789abcdef',
  plan,
  settings: ['API_KEY', 'HTTP_PROXY'],
  tools: [
    { name: 'uv', wanted: null, found: null, fetchable: true, hint: '' },
    {
      name: 'python',
      wanted: '>=3.10',
      found: { program: '/usr/bin/python3', version: '3.12.1' },
      fetchable: false,
      hint: '',
    },
  ],
};
const onColumns = (columns: number) => ({ style: createStyle(false), columns: () => columns });

it('answers one question per row', () => {
  expect(planAsText({ ...report, full: true }, onColumns(Number.POSITIVE_INFINITY))).toBe(`servers-time
  source       https://host/servers.git#:src/time at 0123456789ab
  project      src/time
  runtime      python
  needs        uv: fetched at the first start
               python >=3.10: 3.12.1 (/usr/bin/python3)
  install      uv sync --frozen in src/time
               or uv sync in src/time, if lock-out-of-date
  with         UV_FROZEN=1
  start        .venv/bin/time in src/time (script:time)
               or python -m "time server" (module)
  transport    found out at the first start
  port         a free one if it wants one, by --port {port}, PORT
  settings     API_KEY (required, secret): taken from your environment
               REGION (optional): not set — Where
               passed on: HTTP_PROXY
  confidence   high
  why          src/time/pyproject.toml:12: a console script\\u{1b}[2J
               you said so
  passed over  src/time/pyproject.toml:13: script setup is a helper
`);
});

it('says how it was installed, and why not as planned', () => {
  const fallbacks = [{ tried: 'uv-sync-frozen', cause: 'lock-out-of-date' as const, detail: 'The lock is stale.' }];
  const shown = (installed: object | null) =>
    planAsText({ ...report, full: false, installed: installed as never }, onColumns(Number.POSITIVE_INFINITY));
  expect(shown({ rung: 'uv-sync', fallbacks })).toContain(
    '  installed    by uv-sync\n               uv-sync-frozen failed: The lock is stale.\n',
  );
  expect(shown({ rung: 'uv-sync-frozen', fallbacks: [] })).not.toContain('installed');
});

it('says what would confine a start, and what nothing can keep here', () => {
  const confinement = {
    environment: ['AWS_*'],
    limits: { memory: { allowed: 2 ** 29, kept: 'sample' }, cpu: { allowed: 0.5, kept: null } },
    user: 'nobody',
    sandbox: { network: 'off', read: ['/a'], write: ['/b'], program: null, data: '/home/data/p' },
  } as const;
  expect(
    planAsText({ ...report, full: false, confinement }, onColumns(Number.POSITIVE_INFINITY)),
  ).toContain(`  confined     gets of your environment also AWS_*
               memory at most 512 MiB, looked at each second
               cpu at most 0.5, which nothing can keep here
               runs as nobody
               sandbox by bubblewrap, which is not installed, without a network
               writes to /home/data/p, /b
               reads /a
`);
});

it('leaves fallbacks, their variables and most port names to --verbose', () => {
  const env = ['PORT', 'MCP_PORT', 'SERVER_PORT', 'HTTP_PORT'];
  const text = planAsText(
    { ...report, full: false, plan: { ...plan, port: { ...plan.port, env } } },
    onColumns(Number.POSITIVE_INFINITY),
  );
  expect(text).toContain(
    '  install      uv sync --frozen in src/time\n               1 other way if that fails (--verbose)\n  start',
  );
  expect(text).toContain('by --port {port}, PORT, MCP_PORT, SERVER_PORT, …\n');
});

it('stands below its labels on a narrow terminal, within its columns', () => {
  const lines = planAsText({ ...report, full: false }, onColumns(40)).split('\n');
  expect(lines.slice(1, 7)).toEqual([
    '  source',
    '    https://host/servers.git#:src/time',
    '      at 0123456789ab',
    '  project',
    '    src/time',
    '  runtime',
  ]);
  expect(lines.filter((line) => line.length > 40)).toEqual([]);
});
