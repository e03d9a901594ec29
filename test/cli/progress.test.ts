import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createFailure } from '../../machines/failure.ts';
import type { PluginState } from '../../machines/states.ts';
import { createLineProgress, createLinesProgress } from '../../src/cli/progress.ts';
import { createStages } from '../../src/cli/stages.ts';
import { createStyle } from '../../src/cli/terminal.ts';
import type { PluginStatus } from '../../src/options.ts';

const status = (more: Partial<PluginStatus> = {}): PluginStatus => ({
  name: 'server-time-1a2b3c',
  state: 'absent',
  subState: null,
  since: '',
  generation: 1,
  pid: null,
  transport: null,
  era: null,
  url: null,
  tools: null,
  noise: null,
  failure: null,
  retryAt: null,
  held: 0,
  inFlight: 0,
  why: '',
  next: '',
  nextAt: null,
  source: '',
  ...more,
});

/** A screen of one terminal: what was written, and what a person sees. */
function createScreen(columns = 100) {
  let written = '';
  return {
    output: {
      isTerminal: true,
      columns: () => columns,
      style: createStyle(false),
      write: async (text: string) => {
        written += text;
      },
    },
    /** The lines as the terminal shows them, with erased ones gone. */
    lines: () => written.split('\n').map((line) => line.slice(line.lastIndexOf('\u001b[2K') + 1).replace(/^\[2K/, '')),
    written: () => written,
  };
}

const change = (state: PluginState, failure = null as PluginStatus['failure']) => ({
  plugin: 'server-time-1a2b3c',
  at: '',
  state,
  generation: 1,
  failure,
  reason: null,
});

/** Plain lines of a plugin that is ready whenever it is asked. */
function createReadyLines() {
  const screen = createScreen();
  const progress = createLinesProgress({
    output: screen.output,
    label: 'server-time',
    status: () => status({ state: 'ready' }),
    streams: new Set(),
    now: () => 0,
    clock: () => new Date(2026, 0, 1, 12, 4, 5),
  });
  return { screen, progress };
}

describe('stages', () => {
  it('adds up the states on the way, and a relaunch to the start', () => {
    let time = 0;
    const stages = createStages(() => time);
    for (const [state, until] of [
      ['cloning', 400],
      ['detecting', 410],
      ['installing', 2310],
      ['launching', 2500],
      ['probing', 2600],
      ['stopping', 2700],
      ['launching', 2900],
      ['probing', 3210],
    ] as const) {
      stages.enter(state);
      time = until;
    }
    stages.enter('ready');
    expect(stages.done()).toBe('clone 0.4 s · install 1.9 s · start 0.8 s');
    expect(stages.total()).toBe(3210);
  });

  it('starts again after a crash', () => {
    let time = 0;
    const stages = createStages(() => time);
    for (const state of ['launching', 'ready', 'stopping', 'crashed', 'launching'] as const) {
      stages.enter(state);
      time += 1000;
    }
    stages.enter('ready');
    expect(stages.total()).toBe(1000);
    expect(stages.done()).toBe('start 1.0 s');
  });
});

describe('the line of a terminal', () => {
  let time = 0;
  beforeEach(() => {
    time = 0;
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });
  const pass = (milliseconds: number) => {
    time += milliseconds;
    vi.advanceTimersByTime(100);
  };

  function walk(columns?: number) {
    const screen = createScreen(columns);
    let current = status();
    const progress = createLineProgress({
      output: screen.output,
      label: 'server-time',
      status: () => current,
      now: () => time,
    });
    const enter = (state: PluginState, more: Partial<PluginStatus> = {}) => {
      current = status({ state, ...more });
      progress.state(change(state, more.failure ?? null));
    };
    return { screen, progress, enter };
  }

  it('shows the state, the time in it, what is done, and the last line of output', () => {
    const { screen, progress, enter } = walk();
    enter('cloning');
    pass(1200);
    expect(screen.lines().at(-1)).toBe('⠋ server-time  cloning 1.2 s');
    enter('installing');
    progress.log({ at: '', stream: 'install', text: 'added 93 packages\u001b[K' });
    pass(2500);
    expect(screen.lines().at(-1)).toBe('⠙ server-time  clone 1.2 s · installing 2.5 s  added 93 packages\\u{1b}[K');
  });

  it('ends in a summary that stays, on a line of its own', () => {
    const { screen, progress, enter } = walk();
    enter('cloning');
    pass(400);
    enter('installing');
    pass(1900);
    enter('launching');
    pass(500);
    enter('probing');
    pass(400);
    enter('ready');
    progress.end();
    expect(screen.lines()).toEqual(['✓ server-time ready in 3.2 s: clone 0.4 s · install 1.9 s · start 0.9 s', '']);
  });

  it('breaks a summary that is wider than the terminal before its list', () => {
    const { screen, enter } = walk(40);
    enter('cloning');
    pass(400);
    enter('installing');
    pass(1900);
    enter('launching');
    pass(900);
    enter('ready');
    expect(screen.lines()).toEqual([
      '✓ server-time ready in 3.2 s:',
      '  clone 0.4 s · install 1.9 s · start 0.9 s',
      '',
    ]);
  });

  it('shows a call that takes its time, and clears it', () => {
    const { screen, progress, enter } = walk();
    enter('launching');
    pass(300);
    enter('ready');
    progress.activity('calling slow');
    pass(2000);
    progress.activity('calling slow 40 % reading');
    pass(1000);
    expect(screen.lines().at(-1)).toBe('⠹ server-time  calling slow 40 % reading 3.0 s');
    progress.end();
    expect(screen.lines()).toEqual(['✓ server-time ready in 0.3 s', '']);
  });

  it('says where it failed', () => {
    const { screen, progress, enter } = walk();
    enter('cloning');
    pass(400);
    enter('installing');
    pass(2000);
    enter('crashed', { failure: createFailure('INSTALL_FAILED') });
    progress.end();
    expect(screen.lines()).toEqual(['server-time failed after 2.4 s: clone 0.4 s · install 2.0 s', '']);
  });

  it('says that it waits for its turn', () => {
    const { screen, enter } = walk();
    enter('installing', { subState: 'queued' });
    pass(1000);
    expect(screen.lines().at(-1)).toContain('installing (waiting for its turn) 1.0 s');
  });

  it.each([80, 40, 30, 20, 10])('never reaches the last of %i columns', (columns) => {
    const { screen, progress, enter } = walk(columns);
    enter('cloning');
    pass(1200);
    enter('installing');
    progress.log({ at: '', stream: 'install', text: 'a very long line of output '.repeat(10) });
    pass(2500);
    const line = screen.lines().at(-1) ?? '';
    expect(line.length).toBeLessThan(columns);
    expect(line).toMatch(columns >= 40 ? /installing 2\.5 s/ : /serv/);
  });
});

it('plain lines tell state, facts, output and the next start', async () => {
  const screen = createScreen();
  let current = status();
  const progress = createLinesProgress({
    output: screen.output,
    label: 'server-time',
    status: () => current,
    streams: new Set(['stderr']),
    now: () => 0,
    clock: () => new Date(2026, 0, 1, 12, 4, 5),
  });
  progress.state(change('launching'));
  progress.log({ at: '', stream: 'install', text: 'not shown' });
  progress.log({ at: '', stream: 'stderr', text: 'hello\u001b[2J' });
  current = status({
    state: 'ready',
    tools: 2,
    transport: 'streamable-http',
    pid: 42,
    url: 'http://127.0.0.1:4000/mcp',
  });
  progress.state(change('ready'));
  const retryAt = new Date(2026, 0, 1, 12, 4, 5, 500).toISOString();
  current = status({ state: 'crashed', retryAt });
  progress.state(
    change(
      'crashed',
      createFailure('RUN_EXITED', { message: 'It ended; its last words: “boom”.', stderrTail: ['boom'] }),
    ),
  );
  await new Promise(setImmediate);
  expect(screen.written()).toBe(`12:04:05 server-time launching
12:04:05 server-time stderr │ hello\\u{1b}[2J
12:04:05 server-time ready in 0 ms · 2 tools · streamable-http · pid 42 · http://127.0.0.1:4000/mcp
12:04:05 server-time crashed RUN_EXITED: It ended · next start in 0.5 s
`);
});

it('plain lines of a command that goes on say what to do about a failure that ends in no start', async () => {
  const screen = createScreen();
  const progress = createLinesProgress({
    output: screen.output,
    label: 'server-time',
    status: () => status({ state: 'crashed', retryAt: null }),
    streams: new Set(),
    advise: (hint) => hint.toUpperCase(),
    clock: () => new Date(2026, 0, 1, 12, 4, 5),
  });
  progress.state(
    change('crashed', createFailure('LAUNCH_NEEDS_SETTING', { message: 'It ended.', hint: 'set it:\na\nb' })),
  );
  await new Promise(setImmediate);
  expect(screen.written()).toBe('12:04:05 server-time crashed LAUNCH_NEEDS_SETTING: It ended. SET IT: A, B\n');
});

it('plain lines tell a parked plugin from one that is started again by itself', async () => {
  const screen = createScreen();
  const retryAt = new Date(2026, 0, 1, 12, 5, 5).toISOString();
  const progress = createLinesProgress({
    output: screen.output,
    label: 'server-time',
    status: () => status({ state: 'crashed', subState: 'parked', retryAt }),
    streams: new Set(),
    clock: () => new Date(2026, 0, 1, 12, 4, 5),
  });
  const message = 'It ended; its last words: “boom”.';
  progress.state(change('crashed', createFailure('RUN_EXITED', { message, stderrTail: ['boom'] })));
  await new Promise(setImmediate);
  // Nobody was shown them before.
  expect(screen.written()).toContain('It ended; its last words: “boom” ·');
  expect(screen.written()).toContain('· parked; a call may try it again in 1 min 00 s\n');
});

it('plain lines do not tell that calls come and go', () => {
  const { screen, progress } = createReadyLines();
  for (const state of ['probing', 'ready', 'idle', 'ready', 'idle', 'stopping'] as const) progress.state(change(state));
  expect(screen.written().split('\n')).toEqual([
    expect.stringContaining('probing'),
    expect.stringContaining('ready in'),
    expect.stringContaining('stopping'),
    '',
  ]);
});

it('plain lines tell when calls have to wait, and when they go on', () => {
  const { screen, progress } = createReadyLines();
  progress.state(change('ready'));
  progress.state(change('idle', createFailure('RUN_UNRESPONSIVE', { message: 'It did not answer.' })));
  progress.state(change('idle'));
  expect(screen.written().split('\n').slice(1)).toEqual([
    '12:04:05 server-time unrouted RUN_UNRESPONSIVE: It did not answer.',
    '12:04:05 server-time routed again',
    '',
  ]);
});
