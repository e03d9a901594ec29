import { expect, it } from 'vitest';
import { createGateway } from '../../../src/gateway/gateway.ts';
import type { GatewayOptions } from '../../../src/gateway/options.ts';
import { createStage } from '../../reliability/stage.ts';

it('options that could never do what they are meant for are refused by name', async () => {
  await using stage = await createStage();
  const refused: Record<string, unknown> = {
    allowHost: ['https://gateway.lan'],
    allowOrigin: ['app.example'],
    trustedProxy: 'proxy.lan',
    auth: 'never',
    tokens: ['a-token-that-stands-where-an-object-should'],
    maxBody: 0,
    rateLimit: -1,
    maxToolName: '44',
    legacySse: 'yes',
    basePath: 'tools',
    profiles: 'all',
    logger: true,
  };
  for (const [name, value] of Object.entries(refused)) {
    const create = () => createGateway(stage.supervisor, { [name]: value } as GatewayOptions);
    expect(create, name).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringContaining(`'${name}'`) }),
    );
    expect(create, name).not.toThrow(/a-token-that/);
  }
});

it('options that are undefined are as good as missing', async () => {
  await using stage = await createStage();
  const gateway = createGateway(stage.supervisor, {
    rateLimit: undefined,
    allowHost: ['a', 'b:1', '[::1]:2'],
    basePath: '',
  } as object);
  await gateway.update({
    allowOrigin: ['*', 'null', 'https://a.example', 'chrome-extension://abc'],
    trustedProxy: '::1',
  });
  await gateway.close();
});
