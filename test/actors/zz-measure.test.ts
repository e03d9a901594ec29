import { it } from 'vitest';
import { createHarness, started } from './process-harness.ts';
it('measure', async () => {
  await using h = await createHarness();
  for (let i = 0; i < 5; i++) {
    const run = h.run(['sh', '-c', 'echo ready >&2; cat'], { plugin: `m${i}` });
    const t0 = performance.now(); run.send({ type: 'spawn' });
    while (!run.events.some((e) => e.type === 'process.spawned')) await new Promise((r) => setImmediate(r));
    const t1 = performance.now(); await run.line('ready');
    const t2 = performance.now(); run.send({ type: 'input.close' });
    while (!run.events.some((e) => e.type === 'process.exited')) await new Promise((r) => setImmediate(r));
    const t3 = performance.now();
    while (!run.events.some((e) => e.type === 'group.empty')) await new Promise((r) => setImmediate(r));
    const t4 = performance.now();
    console.log(`spawn→spawned ${(t1-t0).toFixed(1)} eof→exited ${(t3-t2).toFixed(1)} exited→empty ${(t4-t3).toFixed(1)}`);
  }
});
