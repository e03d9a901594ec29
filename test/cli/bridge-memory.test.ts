import { describe, expect, it } from 'vitest';
import { createBridgeMemory } from '../../src/cli/serve/bridge-memory.ts';

const line = (message: object) => JSON.stringify({ jsonrpc: '2.0', ...message });
const hello = { id: 1, method: 'initialize', params: { protocolVersion: '2025-11-25' } };
const parsed = (lines: readonly string[]) => lines.map((each) => JSON.parse(each) as Record<string, unknown>);

function greeted() {
  const memory = createBridgeMemory();
  memory.sent(line(hello));
  memory.received(line({ id: 1, result: {} }));
  memory.sent(line({ method: 'notifications/initialized' }));
  return memory;
}

describe('what a bridge remembers', () => {
  it('is nothing for the first daemon', () => {
    const memory = createBridgeMemory();
    expect(memory.replay()).toEqual([]);
    expect(memory.lost()).toEqual([]);
    expect(memory.replay(), 'a client without a session needs none').toEqual([]);
  });

  it('answers what was open, each once, with its own id', () => {
    const memory = greeted();
    memory.sent(line({ id: 'a', method: 'tools/call' }));
    memory.sent(line({ id: 2, method: 'tools/call' }));
    memory.received(line({ id: 2, result: {} }));
    const lost = parsed(memory.lost());
    expect(lost).toMatchObject([{ id: 'a', error: { code: -32603, data: { fate: 'sent-unknown' } } }]);
    expect(memory.lost()).toEqual([]);
  });

  it('begins the session anew, and keeps the answers to itself', () => {
    const memory = greeted();
    memory.sent(line({ id: 2, method: 'resources/subscribe', params: { uri: 'x:1' } }));
    memory.sent(line({ id: 3, method: 'resources/subscribe', params: { uri: 'x:2' } }));
    memory.sent(line({ id: 4, method: 'resources/unsubscribe', params: { uri: 'x:1' } }));
    memory.sent(line({ id: 5, method: 'logging/setLevel', params: { level: 'info' } }));
    memory.lost();
    const replayed = parsed(memory.replay());
    expect(replayed.map(({ method, params }) => [method, params])).toEqual([
      ['initialize', { protocolVersion: '2025-11-25' }],
      ['notifications/initialized', undefined],
      ['logging/setLevel', { level: 'info' }],
      ['resources/subscribe', { uri: 'x:2' }],
    ]);
    for (const { id } of replayed.filter((message) => 'id' in message)) {
      expect(memory.received(line({ id, result: {} }))).toBe(false);
    }
  });

  it('tells the client of a session that the lists of another daemon may be others, as far as it has such lists', () => {
    const memory = createBridgeMemory();
    memory.sent(line(hello));
    memory.received(
      line({ id: 1, result: { capabilities: { tools: {}, resources: { subscribe: true }, logging: {} } } }),
    );
    memory.sent(line({ method: 'notifications/initialized' }));
    expect(memory.news()).toEqual([]);
    memory.lost();
    expect(parsed(memory.news()).map(({ method }) => method)).toEqual([
      'notifications/tools/list_changed',
      'notifications/resources/list_changed',
    ]);
  });

  it('asks again for a greeting that was never answered, in the name of the client', () => {
    const memory = createBridgeMemory();
    memory.sent(line(hello));
    expect(memory.lost()).toEqual([]);
    expect(parsed(memory.replay())).toMatchObject([hello]);
    expect(memory.received(line({ id: 1, result: {} }))).toBe(true);
  });

  it('lets everything else through, also what is no message', () => {
    const memory = greeted();
    for (const text of ['not json', '[]', line({ method: 'notifications/message' }), line({ id: 9, method: 'ping' })])
      expect(memory.received(text)).toBe(true);
    memory.sent('not json');
  });
});
