/** Our REST face, our library and the floor gateway, in short slices taken in turn. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { createAdapters, startGateway } from './gateway-adapter.mjs';

const plugin = {
  command: process.execPath,
  args: [fileURLToPath(new URL('../../fixtures/plugins/puppet/server.js', import.meta.url))],
};
const payload = { tool: 'echo', arguments: { message: 'x'.repeat(50) } };
const body = Buffer.from(JSON.stringify(payload));
const SLICE = 150;

export async function measureFloor({ slices = 40 } = {}) {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  const post = (port, path) => async () => {
    const headers = { 'content-type': 'application/json', 'content-length': body.length };
    const sent = request({ port, path, host: '127.0.0.1', method: 'POST', agent, headers }).end(body);
    const [response] = await once(sent, 'response');
    const { content } = JSON.parse(await text(response));
    if (content[0].text !== payload.arguments.message) throw new Error('a wrong answer');
  };
  const program = fileURLToPath(new URL('floor-gateway.mjs', import.meta.url));
  const floor = spawn(process.execPath, [program, plugin.command, ...plugin.args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [port] = await once(floor.stdout, 'data');
  const gateway = await startGateway({ puppet: plugin });
  const embedded = await createAdapters()
    .find(({ name }) => name === 'ours-embedded')
    .start({ plugins: { puppet: plugin } });
  try {
    const faces = {
      floor: post(Number(port), '/'),
      'ours, REST': post(gateway.port, '/plugins/puppet'),
      'ours, library': () => embedded.call('puppet', payload.tool, payload.arguments),
    };
    for (const concurrency of [1, 64]) report(concurrency, await inTurns(faces, concurrency, slices));
  } finally {
    agent.destroy();
    floor.kill();
    await embedded.stop();
    await gateway.stop();
  }
}

async function inTurns(faces, concurrency, slices) {
  const seen = Object.fromEntries(Object.keys(faces).map((name) => [name, { p50: [], rate: [] }]));
  for (let slice = -2; slice < slices; slice += 1) {
    for (const [name, call] of Object.entries(faces)) {
      const times = [];
      const begin = performance.now();
      const worker = async () => {
        while (performance.now() - begin < SLICE) {
          const from = performance.now();
          await call();
          times.push(performance.now() - from);
        }
      };
      await Promise.all(Array.from({ length: concurrency }, worker));
      // The first two warm up.
      if (slice < 0) continue;
      seen[name].p50.push(median(times));
      seen[name].rate.push(times.length / ((performance.now() - begin) / 1000));
    }
  }
  return seen;
}

function report(concurrency, seen) {
  console.log(`${concurrency} at once`);
  for (const [name, { p50, rate }] of Object.entries(seen)) {
    const ratio = (field) =>
      median(seen[name][field].map((value, slice) => value / seen.floor[field][slice])).toFixed(2);
    const figures = `p50 ${median(p50).toFixed(3)} ms (${ratio('p50')}x of the floor), ${Math.round(median(rate))} calls/s (${ratio('rate')}x)`;
    console.log(`  ${name.padEnd(14)} ${figures}`);
  }
}

const median = (numbers) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1];
