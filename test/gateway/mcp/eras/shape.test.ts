import { describe, expect, it } from 'vitest';
import { supervisorError } from '../../../../src/errors.ts';
import { declares, requiredFor } from '../../../../src/gateway/mcp/eras/capabilities.ts';
import { shapeError, shapeResult } from '../../../../src/gateway/mcp/eras/shape.ts';
import { toRpcError } from '../../../../src/gateway/mcp/eras/to-rpc-error.ts';
import { questionForLegacy, questionIn } from '../../../../src/gateway/mcp/eras/url-elicitation.ts';
import { RpcError } from '../../../../src/gateway/mcp/rpc-error.ts';

describe('the shape of a result', () => {
  it('is left alone where both speak alike, whatever it is', () => {
    for (const result of [{ resultType: 'input_required', ttlMs: 3 }, null, 'odd', []]) {
      expect(shapeResult('tools/list', result, 'legacy', 'legacy')).toBe(result);
    }
    const modern = { resultType: 'complete', tools: [] };
    expect(shapeResult('tools/list', modern, 'modern', 'modern')).toBe(modern);
  });

  it('is complete, and stale, for a modern client', () => {
    const complete = { resultType: 'complete' };
    expect(shapeResult('tools/call', { content: [] }, 'legacy', 'modern')).toEqual({ ...complete, content: [] });
    expect(shapeResult('resources/read', { contents: [] }, null, 'modern')).toEqual({
      ...complete,
      ttlMs: 0,
      cacheScope: 'private',
      contents: [],
    });
  });

  it('keeps from a legacy client what it does not know', () => {
    const list = { resultType: 'complete', ttlMs: 9, cacheScope: 'public', tools: [] };
    expect(shapeResult('tools/list', list, 'modern', 'legacy')).toEqual({ tools: [] });
    const result = { resultType: 'complete', content: [], ttlMs: 'its own' };
    expect(shapeResult('tools/call', result, 'modern', 'legacy')).toEqual({ content: [], ttlMs: 'its own' });
  });

  it('keeps from a legacy client what would make it refuse the whole answer', () => {
    const tools = [
      { name: 'a', outputSchema: { type: 'array' } },
      { name: 'b', outputSchema: { type: 'object' } },
    ];
    expect(shapeResult('tools/list', { tools }, 'modern', 'legacy')).toEqual({ tools: [{ name: 'a' }, tools[1]] });
    expect(shapeResult('tools/list', { tools }, null, 'legacy')).toEqual({ tools: [{ name: 'a' }, tools[1]] });
    const content = [{ type: 'text', text: '3' }];
    expect(shapeResult('tools/call', { content, structuredContent: 3 }, 'modern', 'legacy')).toEqual({ content });
    expect(shapeResult('tools/call', { structuredContent: 3 }, 'modern', 'legacy')).toEqual({ content });
  });
});

describe('an error', () => {
  it('of a resource that is not there has another code in the modern era', () => {
    const error = new RpcError(-32002, 'gone', { uri: 'x:y' });
    expect(shapeError(error, 'legacy')).toBe(error);
    expect(shapeError(error, 'modern')).toMatchObject({ code: -32602, message: 'gone', data: { uri: 'x:y' } });
  });

  it('of ours says which plugin, why, what to do and when', () => {
    const error = supervisorError('CALL_INTERRUPTED', { message: 'It died.', data: { fate: 'sent-unknown' } }, 'p');
    const { code, message, data } = toRpcError(error, 'p', new Date(Date.now() + 5000).toISOString());
    expect({ code, message }).toEqual({ code: -32603, message: `p: It died. ${error.hint}` });
    expect(data).toMatchObject({
      plugin: 'p',
      code: 'CALL_INTERRUPTED',
      fate: 'sent-unknown',
      hint: expect.any(String),
    });
    expect((data as { retryAfter: number }).retryAfter).toBeGreaterThan(0);
  });

  it('of ours gives its advice in the message, in words of a configuration: clients show nothing else', () => {
    const message = (hint: string) =>
      toRpcError(supervisorError('LAUNCH_NEEDS_SETTING', { message: 'It ended.', hint }), 'p').message;
    const set = 'under "env" where this server is configured';
    expect(message('Pass it with --env API_KEY=value.')).toBe(`p: It ended. Set API_KEY ${set}.`);
    expect(message('Pass it with --env NAME=value, or arguments after --.')).toBe(
      `p: It ended. Set it ${set}, or its arguments under "args".`,
    );
    expect(message('Pass it with --env, its name in capitals.')).toBe(
      `p: It ended. Set it ${set}, its name in capitals.`,
    );
    expect(message('Pass the arguments after --.')).toBe(
      'p: It ended. Set its arguments under "args" where this server is configured.',
    );
    expect(message('')).toBe('p: It ended.');
  });

  it('that is a bug of ours tells nothing of it', () => {
    expect(toRpcError(new TypeError('a secret'), 'p').toJSON()).toEqual({
      code: -32603,
      message: 'Something broke inside the gateway.',
      data: { plugin: 'p' },
    });
  });
});

describe('what a client must have declared', () => {
  it('is said by the question', () => {
    const can = (capabilities: object, method: string, params: object = {}) =>
      declares(capabilities as Record<string, unknown>, requiredFor(method, params) ?? {});
    expect(can({ elicitation: {} }, 'elicitation/create')).toBe(true);
    expect(can({ elicitation: { form: {} } }, 'elicitation/create')).toBe(true);
    expect(can({ elicitation: { url: {} } }, 'elicitation/create')).toBe(false);
    expect(can({ elicitation: {} }, 'elicitation/create', { mode: 'url' })).toBe(false);
    expect(can({ elicitation: { url: {} } }, 'elicitation/create', { mode: 'url' })).toBe(true);
    expect(can({ sampling: {} }, 'sampling/createMessage')).toBe(true);
    expect(can({ sampling: {} }, 'sampling/createMessage', { tools: [] })).toBe(false);
    expect(can({ sampling: { tools: {} } }, 'sampling/createMessage', { tools: [] })).toBe(true);
    expect(can({}, 'roots/list')).toBe(false);
  });
});

describe('elicitation by URL', () => {
  const client = { capabilities: { elicitation: { url: {} } } } as never;

  it('has an id in the legacy era alone', () => {
    const params = { mode: 'url', url: 'https://x/' };
    expect(questionForLegacy('elicitation/create', params)).toMatchObject({
      ...params,
      elicitationId: expect.any(String),
    });
    expect(questionForLegacy('elicitation/create', { message: 'who?' })).toEqual({ message: 'who?' });
  });

  it('is no error in the modern era, but a question', () => {
    const elicitation = { mode: 'url', message: 'Log in', url: 'https://x/', elicitationId: '1' };
    const error = new RpcError(-32042, 'log in', { elicitations: [elicitation] });
    const params = { mode: 'url', message: 'Log in', url: 'https://x/' };
    expect(questionIn(error, client)).toEqual({
      resultType: 'input_required',
      inputRequests: { elicitation_1: { method: 'elicitation/create', params } },
    });
    expect(questionIn(error, { capabilities: {} } as never)).toBeNull();
    expect(questionIn(new RpcError(-32042, 'log in'), client)).toBeNull();
  });
});
