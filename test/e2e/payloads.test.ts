import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createSupervisor, type Supervisor } from '../../src/index.ts';
import { fixtureFolder } from '../support/fixture-repos.ts';
import { createHome, type TestHome } from '../support/home.ts';
import { expectNothingLeft } from '../support/leftovers.ts';
import { needsRegistries } from '../support/registries.ts';

const MB = 1e6;
let home: TestHome;
let supervisor: Supervisor;

beforeAll(async () => {
  home = await createHome();
  const plugins = { stdio: fixtureFolder('node-stdio'), plain: fixtureFolder('node-plain-http') };
  supervisor = createSupervisor({ home: home.path, env: home.env, plugins });
});
afterAll(async () => {
  await supervisor?.close();
  if (home) await expectNothingLeft(home);
  await home?.[Symbol.asyncDispose]();
});

describe('over stdio', () => {
  needsRegistries('npm');
  const call = async (tool: string, args: Record<string, unknown>) =>
    (await supervisor.call('stdio', { tool, arguments: args })).content?.[0]?.text ?? '';
  const pid = () => call('pid', {});

  test.each([12, 17])('a request of %i MB is refused before a byte is written', async (megabytes) => {
    const before = await pid();
    const refused = call('echo', { message: 'x'.repeat(megabytes * MB) });
    await expect(refused).rejects.toMatchObject({ code: 'CALL_TOO_LARGE', data: { fate: 'not-sent' } });
    expect(await pid()).toBe(before);
  });

  test('the limit counts bytes, not characters', async () => {
    const before = await pid();
    await expect(call('echo', { message: 'é'.repeat(6 * MB) })).rejects.toMatchObject({ code: 'CALL_TOO_LARGE' });
    expect(await pid()).toBe(before);
  });

  test('a request of 9 MB and a result of 12 MB pass', async () => {
    expect((await call('echo', { message: 'x'.repeat(9 * MB) })).length).toBe(9 * MB);
    expect((await call('blob', { bytes: 12 * MB })).length).toBe(12 * MB);
  });

  test('a result of 17 MB is refused, and the plugin still answers', async () => {
    const before = await pid();
    await expect(call('blob', { bytes: 17 * MB })).rejects.toMatchObject({ code: 'CALL_RESULT_TOO_LARGE' });
    expect(await pid()).toBe(before);
  });

  test('what else is in flight survives a result that is too large', async () => {
    const slow = call('slow', { ms: 1_500 });
    await expect(call('blob', { bytes: 17 * MB })).rejects.toMatchObject({ code: 'CALL_RESULT_TOO_LARGE' });
    expect(await slow).toBe('slept 1500');
  });
});

describe('over plain HTTP', () => {
  const echo = (bytes: number) => supervisor.call('plain', { text: 'x'.repeat(bytes) }) as Promise<unknown>;

  test('12 MB pass both ways', async () => {
    const answer = (await echo(12 * MB)) as { payload: { text: string } };
    expect(answer.payload.text.length).toBe(12 * MB);
  });

  test('an answer of 17 MB is refused, and the plugin still answers', async () => {
    await expect(echo(17 * MB)).rejects.toMatchObject({ code: 'CALL_RESULT_TOO_LARGE' });
    expect(await echo(1)).toMatchObject({ payload: { text: 'x' } });
  });
});
