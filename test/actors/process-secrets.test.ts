import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { resolveReferences } from '../../actors/process/references.ts';
import { createRedactor } from '../../actors/redact.ts';
import { createHome } from '../support/home.ts';
import { createHarness } from './process-harness.ts';

describe('a reference in what the owner wrote', () => {
  const caller = { PATH: process.env.PATH ?? '', OTHER: 'from the caller' };
  const resolved = async (value: string, callerEnv: Record<string, string> = caller) =>
    (await resolveReferences({ KEY: value }, { callerEnv })).env.KEY;

  it.each([
    ['plain', 'plain'],
    // biome-ignore-start lint/suspicious/noTemplateCurlyInString: references are written so
    ['${env:OTHER}', 'from the caller'],
    ['Bearer ${env:OTHER}!', 'Bearer from the caller!'],
    ['${cmd:printf "%s\\n" one | tr a-z A-Z}', 'ONE'],
    ['${env:OTHER} ${cmd:echo two}', 'from the caller two'],
    ['$${env:OTHER}', '${env:OTHER}'],
    ['${OTHER}', '${OTHER}'],
    ['$OTHER', '$OTHER'],
  ])('%s becomes %s', async (value, text) => {
    expect(await resolved(value)).toBe(text);
  });

  it('to a file is its text without the last line end', async () => {
    await using home = await createHome();
    const file = join(home.root, 'token');
    await writeFile(file, 'one\ntwo\n');
    expect(await resolved(`\${file:${file}}`)).toBe('one\ntwo');
    expect(await resolved('${file:~/token}', { HOME: home.root })).toBe('one\ntwo');
  });

  it.each([
    ['${env:ABSENT}', 'there is no such variable'],
    ['${file:/nowhere/at/all}', 'it was not found'],
    ['${file:relative}', 'the path must be absolute'],
    ['${cmd:echo s3cret; exit 7}', 'exit code 7'],
  ])('%s is refused by name, without a value', async (value, why) => {
    const thrown = await resolved(value).catch((error) => error);
    expect(thrown.failure).toMatchObject({ code: 'CONFIG_REFERENCE', data: { variable: 'KEY', reference: value } });
    expect(thrown.failure.message).toContain(why);
    expect(JSON.stringify(thrown.failure).replaceAll(value, '')).not.toContain('s3cret');
    // biome-ignore-end lint/suspicious/noTemplateCurlyInString: references are written so
  });
});

it('takes the longest of secrets that begin alike, and leaves short ones', () => {
  expect(createRedactor(['abc', 'secret-1', 'secret-12'])('abc secret-12 secret-1')).toBe('abc [redacted] [redacted]');
});

describe('a plugin that prints its secrets', () => {
  it('gets them, and its log does not', async () => {
    await using harness = await createHarness();
    const script = '[ "$KEY" = s3cret-value ] && echo "right: $KEY" >&2; echo "plain $PLACE" >&2; exit 1';
    const run = harness.run(['sh', '-c', script], {
      env: { KEY: '${cmd:echo s3cret-value}', PLACE: '/some/folder' },
      plan: { wants: [{ name: 'PLACE', required: false, secret: false }] },
    });
    run.send({ type: 'spawn' });
    const { stderrTail } = await run.until('process.exited');
    expect(stderrTail).toEqual(['right: [redacted]', 'plain /some/folder']);
    expect(harness.output.join()).not.toContain('s3cret');
    await run.until('group.empty');
  });

  it('finds what comes with a plugin as it is written', async () => {
    await using harness = await createHarness();
    const env = { A: '${env:AWS_SECRET_ACCESS_KEY}', B: '${cmd:touch canary}' };
    const run = harness.run(['sh', '-c', 'echo "$A $B" >&2'], { plan: { env } });
    run.send({ type: 'spawn' });
    const { stderrTail } = await run.until('process.exited');
    expect(stderrTail).toEqual([`${env.A} ${env.B}`]);
    await run.until('group.empty');
  });
});
