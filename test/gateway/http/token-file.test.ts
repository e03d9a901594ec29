import { chmod, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createToken, loadOrCreateToken } from '../../../src/gateway/http/token-file.ts';
import { createSupervisor } from '../../../src/supervisor.ts';
import { failureOf } from '../../reliability/stage.ts';
import { createHome } from '../../support/home.ts';

describe('the token of a home', () => {
  it('is made once, whoever asks, and nobody else can read it', async () => {
    await using home = await createHome();
    const all = await Promise.all(Array.from({ length: 8 }, () => loadOrCreateToken(home.path)));
    expect(new Set(all.map(({ token }) => token)).size).toBe(1);
    expect(all.filter(({ created }) => created)).toHaveLength(1);
    const { token, path } = all[0]!;
    expect(token).toMatch(/^[\w-]{43}$/);
    expect((await readFile(path, 'utf8')).trim()).toBe(token);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readdir(home.path)).toEqual(['token']);
    await chmod(path, 0o644);
    expect(await loadOrCreateToken(home.path)).toEqual({ token, created: false, path });
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  it('may be there before the home is used', async () => {
    await using home = await createHome();
    await loadOrCreateToken(home.path);
    await using supervisor = createSupervisor({ home: home.path, plugins: { p: '-- true' }, env: home.env });
    // Its first start opens the home.
    expect((await failureOf(supervisor.start('p'))).code).not.toBe('HOME_UNUSABLE');
  });

  it('is no empty one', async () => {
    await using home = await createHome();
    const { path } = await loadOrCreateToken(home.path);
    await writeFile(path, '\n');
    const error = await failureOf(loadOrCreateToken(home.path));
    expect(error).toMatchObject({ code: 'HOME_UNUSABLE', hint: expect.stringContaining('Remove') });
    expect(error.message).toContain(path);
  });

  it('is another one each time it is made', () => {
    expect(createToken()).not.toBe(createToken());
  });

  it('belongs to its home alone', async () => {
    await using one = await createHome();
    await using other = await createHome();
    const [a, b] = await Promise.all([
      loadOrCreateToken(one.path),
      loadOrCreateToken(join(other.root, 'deep', 'home')),
    ]);
    expect(a.token).not.toBe(b.token);
  });
});
