import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { findUser, userEnv, userWords } from '../../../actors/confinement/user.ts';
import { needsRoot } from '../../support/sandbox.ts';

describe('finding a user', () => {
  needsRoot();

  it('takes a name, a number, and a number with a group', async () => {
    expect(await findUser('nobody')).toMatchObject({ name: 'nobody', uid: 65534 });
    expect(await findUser('65534')).toMatchObject({ name: 'nobody', uid: 65534 });
    expect(await findUser('54321:77')).toEqual({ name: null, uid: 54321, gid: 77, home: null });
    await expect(findUser('no-such-user')).rejects.toMatchObject({ failure: { code: 'CONFIG_USER' } });
  });

  it('drops the groups that we are in', async () => {
    const [program = '', ...args] = await userWords(await findUser('54321:77'), '/usr/bin:/bin');
    const groupsOf = (...words: string[]) => promisify(execFile)('setpriv', ['--groups=4,5', ...words, 'id', '-G']);
    expect((await groupsOf()).stdout).toBe('0 4 5\n');
    expect((await groupsOf(program, ...args)).stdout).toBe('77\n');
  });

  it('needs setpriv', async () => {
    await expect(userWords(await findUser('nobody'), '/no/such/folder')).rejects.toMatchObject({
      failure: { code: 'CONFIG_USER', hint: expect.stringContaining('util-linux') },
    });
  });
});

it.skipIf(process.getuid?.() === 0)('is only for root', async () => {
  await expect(findUser('nobody')).rejects.toMatchObject({ failure: { code: 'CONFIG_USER' } });
});

it('gives the user a home and a name of its own, and no temp folder of ours', () => {
  const given = { HOME: '/root', USER: 'root', LOGNAME: 'root', TMPDIR: '/root/tmp', PATH: '/bin' };
  expect(userEnv({ name: 'me', uid: 7, gid: 7, home: '/home/me' }, given)).toEqual({
    ...{ HOME: '/home/me', USER: 'me', LOGNAME: 'me', PATH: '/bin' },
  });
  expect(userEnv({ name: null, uid: 7, gid: 7, home: null }, given)).toMatchObject({ HOME: '/', USER: '7' });
});
