// Every plugin of a running gateway as tools of the AI SDK: node ai-sdk.mjs http://127.0.0.1:PORT/mcp
import { experimental_createMCPClient as createMCPClient } from '@ai-sdk/mcp';

const client = await createMCPClient({ transport: { type: 'http', url: process.argv[2] } });
const tools = await client.tools();
for (const name of Object.keys(tools).sort()) {
  console.log(name);
  if (!name.endsWith('__echo')) continue;
  const result = await tools[name].execute({ message: 'hello from the AI SDK' }, { toolCallId: '1', messages: [] });
  console.log(`${name} → ${result.content[0].text}`);
}
await client.close();
