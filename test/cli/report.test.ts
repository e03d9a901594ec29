import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createReport } from '../../src/cli/serve/report.ts';
import { createStyle, type Terminal } from '../../src/cli/terminal.ts';
import { createStage, eventually, fixture, puppet } from '../reliability/stage.ts';

function createPaper() {
  let written = '';
  const output = {
    isTerminal: false,
    columns: () => 100,
    style: createStyle(false),
    write: async (text: string) => {
      written += text;
    },
  };
  const terminal: Terminal = { stdout: output, stderr: output, readStdin: async () => '' };
  return { terminal, lines: () => written.split('\n').map((line) => line.slice('12:00:00 '.length)) };
}

describe('what a daemon says of its plugins', () => {
  it('names each process of a pool, with its own facts', async () => {
    await using stage = await createStage({ plugins: { p: puppet('', { instances: { pool: 2 } }) } });
    const { supervisor } = stage;
    const paper = createPaper();
    createReport(paper.terminal, {}).follow(supervisor);
    const file = join(stage.home.root, 'go');
    await supervisor.call('p', { tool: 'pid', arguments: {} });
    // One more than there are processes: it finds them all busy.
    const calls = [1, 2, 3].map(() => supervisor.call('p', { tool: 'look', arguments: { file } }));
    const pids = () =>
      supervisor.status('p').instances?.map(({ pid, state }) => (/^(ready|idle)$/.test(state) ? pid : null)) ?? [];
    await eventually(() => pids().length === 2 && !pids().includes(null));
    const [first, second] = pids();
    await writeFile(file, '');
    await Promise.all(calls);
    expect(paper.lines()).toContainEqual(expect.stringMatching(new RegExp(`^p ready in .* pid ${first}$`)));
    expect(paper.lines()).toContainEqual(expect.stringMatching(new RegExp(`^p#1 ready in .* pid ${second}$`)));
  });

  it('says what a failure wants, and nothing of plugins that just came', async () => {
    await using stage = await createStage({});
    const { supervisor } = stage;
    const paper = createPaper();
    createReport(paper.terminal, {}).follow(supervisor);
    supervisor.add('keyed', { source: fixture('plugins/needs-setting') });
    await supervisor.start('keyed').catch(() => {});
    await eventually(() => paper.lines().some((line) => line.startsWith('keyed crashed')));
    expect(paper.lines()).not.toContain('keyed absent');
    expect(paper.lines().find((line) => line.startsWith('keyed crashed'))).toMatch(
      /LAUNCH_NEEDS_SETTING: .* Set API_KEY under "env" where this server is configured\.$/,
    );
  });
});
