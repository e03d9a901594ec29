import { expect, it } from 'vitest';
import { createGatewayStage } from '../gateway-stage.ts';

it('A connection that could not be taken in leaves the gateway to the others', async () => {
  await using stage = await createGatewayStage();
  const full = Object.assign(new Error('accept ENFILE'), { code: 'ENFILE' });
  expect(() => stage.service.server.emit('error', full)).not.toThrow();
  expect((await stage.get('/healthz')).status).toBe(200);
});
