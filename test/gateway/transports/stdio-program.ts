/** `serve --stdio` of a fake endpoint, as a program. */

import { serveStdio } from '../../../src/gateway/mcp/transports/stdio.ts';
import { createFakeEndpoint, quiet } from './fake-endpoint.ts';

await serveStdio({ endpoint: createFakeEndpoint(), input: process.stdin, output: process.stdout, log: quiet });
process.stderr.write('served\n');
