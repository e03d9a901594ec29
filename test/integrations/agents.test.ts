import { dynamicTool, generateText, stepCountIs } from 'ai';
import { MockLanguageModelV3 } from 'ai/test';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { aiSdkTools } from '../../src/integrations/ai-sdk.ts';
import { langchainTools } from '../../src/integrations/langchain.ts';
import { llamaIndexTools } from '../../src/integrations/llamaindex.ts';
import { createStage, puppet, type Stage } from '../reliability/stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await createStage({ plugins: { one: puppet(), two: puppet() } });
});
afterAll(() => stage[Symbol.asyncDispose]());

test('the AI SDK gives a model every tool, and the model what a tool answered', async () => {
  const tools = await aiSdkTools(stage.supervisor, { allow: ['*__echo', '*__pid'] });
  expect(Object.keys(tools).sort()).toEqual(['one__echo', 'one__pid', 'two__echo', 'two__pid']);
  expect(tools.one__echo?.type).toBe(dynamicTool({ inputSchema: {} as never, execute: () => null }).type);
  const usage = { inputTokens: { total: 1 }, outputTokens: { total: 1 } } as never;
  const seen: unknown[] = [];
  const model = new MockLanguageModelV3({
    async doGenerate({ prompt }) {
      seen.push(prompt);
      return seen.length === 1
        ? {
            content: [
              {
                type: 'tool-call',
                toolCallId: '1',
                toolName: 'two__echo',
                input: JSON.stringify({ message: 'hello' }),
              },
            ],
            finishReason: { unified: 'tool-calls', raw: undefined },
            usage,
            warnings: [],
          }
        : {
            content: [{ type: 'text', text: 'done' }],
            finishReason: { unified: 'stop', raw: undefined },
            usage,
            warnings: [],
          };
    },
  });
  const { text } = await generateText({ model, tools, prompt: 'say hello', stopWhen: stepCountIs(2) });
  expect(text).toBe('done');
  expect(JSON.stringify(seen[1])).toContain('{"type":"text","value":"hello"}');
});

test('LangChain calls a tool by its schema, and keeps the whole result as artifact', async () => {
  const tools = await langchainTools(stage.supervisor, { plugins: ['one'] });
  const echo = tools.find(({ name }) => name === 'one__echo')!;
  const message = await echo.invoke({ type: 'tool_call', id: '1', name: 'one__echo', args: { message: 'hello' } });
  expect(message).toMatchObject({ content: 'hello', artifact: { content: [{ type: 'text', text: 'hello' }] } });
});

test('LlamaIndex calls a tool, and hears of a crash as an error', async () => {
  const tools = await llamaIndexTools(stage.supervisor, { allow: ['one__echo', 'one__exit'] });
  const echo = tools.find(({ metadata }) => metadata.name === 'one__echo')!;
  expect(await echo.call({ message: 'hello' })).toBe('hello');
  const exit = tools.find(({ metadata }) => metadata.name === 'one__exit')!;
  await expect(exit.call({ code: 3 })).rejects.toMatchObject({ code: 'CALL_INTERRUPTED', plugin: 'one' });
});
