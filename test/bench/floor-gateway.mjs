/** The floor of a gateway: `node floor-gateway.mjs COMMAND ARGS…` passes POST bodies as tools/call to one child's pipes. */

import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import { json } from 'node:stream/consumers';

const [command, ...args] = process.argv.slice(2);
const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'ignore'] });
const waiting = new Map();
let count = 0;
const request = (method, params) =>
  new Promise((resolve) => {
    const id = ++count;
    waiting.set(id, resolve);
    child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`);
  });
createInterface({ input: child.stdout }).on('line', (line) => {
  const { id, result } = JSON.parse(line);
  waiting.get(id)?.(result);
  waiting.delete(id);
});
await request('initialize', {
  protocolVersion: '2025-11-25',
  capabilities: {},
  clientInfo: { name: 'floor', version: '1' },
});

const server = createServer(async (incoming, response) => {
  const { tool, arguments: given } = await json(incoming);
  const body = Buffer.from(JSON.stringify(await request('tools/call', { name: tool, arguments: given })));
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length }).end(body);
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
