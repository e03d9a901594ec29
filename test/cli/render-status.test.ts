import { describe, expect, it } from 'vitest';
import { createFailure } from '../../machines/failure.ts';
import { historyAsText } from '../../src/cli/plugins/history.ts';
import { statusAsText, statusesAsText } from '../../src/cli/render-status.ts';
import { createStyle } from '../../src/cli/terminal.ts';
import type { PluginStatus } from '../../src/options.ts';

const NOW = Date.parse('2026-01-01T12:00:00Z');
const status = (fields: Partial<PluginStatus>): PluginStatus =>
  ({
    ...{ name: 'time', state: 'absent', subState: 'resting', since: '2026-01-01T11:59:00Z', generation: 0, pid: null },
    ...{ transport: null, url: null, tools: null, noise: null, failure: null, retryAt: null, held: 0, inFlight: 0 },
    ...{
      why: 'It has not been started yet.',
      next: 'It starts with the next call.',
      nextAt: null,
      source: 'owner/time',
    },
    ...fields,
  }) as PluginStatus;
const output = (columns = 80) => ({ style: createStyle(false), columns: () => columns });

const many = [
  status({ state: 'ready', tools: 12, since: '2026-01-01T09:30:00Z' }),
  status({
    name: 'broken',
    state: 'crashed',
    subState: 'parked',
    failure: createFailure('RUN_EXITED', {
      message: 'It ended with code 1, and nobody knows why it should have done so.',
    }),
  }),
  status({ name: 'a-name-that-is-much-longer-than-a-third-of-the-terminal', source: './x' }),
];

describe('the list of plugins', () => {
  it('has one line for each, with why where something is wrong', () => {
    expect(statusesAsText(many.slice(0, 2), output(), NOW)).toBe(
      [
        'NAME    STATE             FOR         TOOLS',
        'time    ready             2 h 30 min     12  owner/time',
        'broken  crashed (parked)  1 min 00 s         RUN_EXITED: It ended with code 1, …',
        '',
      ].join('\n'),
    );
  });

  it.each([80, 60, 40])('fits into %i columns', (columns) => {
    for (const line of statusesAsText(many, output(columns), NOW).split('\n'))
      expect(line.length, line).toBeLessThanOrEqual(Math.max(columns, 60));
  });

  it('obeys no control characters of a plugin', () => {
    expect(statusesAsText([status({ source: 'x\u001b[31m' })], output(), NOW)).not.toContain('\u001b');
  });
});

describe('one plugin', () => {
  it('with several processes has a line for each', () => {
    const first = status({ state: 'ready', pid: 7, generation: 1, inFlight: 2 });
    const text = statusAsText({ ...first, instances: [first, status({ name: 'time#1' })] }, output(), NOW);
    expect(text).toContain('  instance time ready for 1 min 00 s · pid 7 · 2 running\n');
    expect(text).toContain('  instance time#1 absent\n');
  });

  it('says a failure and what to do about it once', () => {
    const failure = createFailure('LAUNCH_NEEDS_SETTING', { message: 'The key is missing.', hint: 'Set it.' });
    const fields = { state: 'crashed', subState: 'parked', failure } as const;
    const told = status({
      ...fields,
      why: 'It failed: The key is missing. So it is parked.',
      next: 'Set it. Then start it again.',
    });
    const text = statusAsText(told, output(), NOW);
    expect(text.match(/The key is missing/g)).toHaveLength(1);
    expect(text.match(/Set it\./g)).toHaveLength(1);
    expect(text).toContain('failure  LAUNCH_NEEDS_SETTING\n');
    const other = statusAsText(status({ ...fields, why: 'It rests.', next: 'Nothing.' }), output(), NOW);
    expect(other).toContain('LAUNCH_NEEDS_SETTING: The key is missing.');
    expect(other).toContain('→ Set it.');
  });

  it('that was never started has no time', () => {
    expect(statusAsText(status({}), output(), NOW).split('\n')[0]).toBe('time  absent');
    expect(statusAsText(status({ generation: 1 }), output(), NOW)).toContain('absent for 1 min');
  });

  it('is told with all that is known, in lines that fit', () => {
    const text = statusAsText(
      status({ state: 'ready', subState: null, generation: 2, pid: 7, transport: 'stdio', tools: 1, inFlight: 1 }),
      output(),
      NOW,
    );
    expect(text).toContain('time  ready for 1 min 00 s\n');
    expect(text).toContain('  runs     1 tool · stdio · pid 7\n');
    expect(text).toContain('  calls    1 running\n');
    for (const line of statusAsText(many[1] as PluginStatus, output(50), NOW).split('\n'))
      expect(line.length).toBeLessThanOrEqual(50);
  });
});

describe('the history', () => {
  it('has a line for each step, and keeps its columns where a reason is long', () => {
    const entry = { at: '2026-01-01T12:00:00Z', state: 'crashed', generation: 3, reason: null } as const;
    const text = historyAsText(
      [{ ...entry, failure: createFailure('RUN_EXITED', { message: 'word '.repeat(30).trim() }) }],
      output(),
    );
    const [first = '', second = ''] = text.split('\n');
    expect(first).toMatch(/^2026-01-01 \d\d:00:00 {2}crashed {5}#3 {3}RUN_EXITED: word/);
    expect(second).toMatch(/^ {38}word/);
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  });

  it('names the process where there are several', () => {
    const entry = { at: '2026-01-01T12:00:00Z', state: 'launching', generation: 1, failure: null } as const;
    const text = historyAsText([{ ...entry, reason: 'a call came', instance: 'time#1' }], output());
    expect(text).toMatch(/#1 {3}time#1 a call came\n$/);
  });
});
