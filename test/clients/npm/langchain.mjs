// Every plugin of a running gateway as LangChain tools: node langchain.mjs http://127.0.0.1:PORT/mcp
import { MultiServerMCPClient } from '@langchain/mcp-adapters';

const client = new MultiServerMCPClient({ mcpServers: { gateway: { transport: 'http', url: process.argv[2] } } });
for (const tool of await client.getTools()) {
  console.log(tool.name);
  if (!tool.name.endsWith('__echo')) continue;
  const result = await tool.invoke({ message: 'hello from LangChain' });
  // Text, or the block of it where the tool answers with structured content as well.
  console.log(`${tool.name} → ${result.text ?? result}`);
}
await client.close();
