import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { describe, expect, it } from 'vitest';

describe.each([
  ['2025-11-25', 'legacy'],
  ['2026-07-28', { pin: '2026-07-28' }],
] as const)('the official client over a pipe, %s', (version, mode) => {
  it('lists and calls tools, takes calls back, and leaves a program that ends by itself', async () => {
    const transport = new StdioClientTransport({
      command: process.execPath,
      args: ['test/support/run.mjs', 'test/gateway/transports/stdio-program.ts'],
      stderr: 'pipe',
    });
    let said = '';
    transport.stderr?.on('data', (chunk) => {
      said += chunk;
    });
    const client = new Client({ name: 'sdk', version: '1' }, { versionNegotiation: { mode } });
    await client.connect(transport);
    expect(client.getNegotiatedProtocolVersion()).toBe(version);
    expect((await client.listTools()).tools.map(({ name }) => name)).toContain('echo');
    const abort = new AbortController();
    const call = client.callTool({ name: 'wait', arguments: {} }, { signal: abort.signal });
    setImmediate(() => abort.abort());
    await expect(call).rejects.toThrow();
    const { content } = await client.callTool({ name: 'big', arguments: { size: 4 * 1024 * 1024 } });
    expect((content[0] as { text: string }).text).toHaveLength(4 * 1024 * 1024);
    await client.close();
    expect(said).toContain('served');
  });
});
