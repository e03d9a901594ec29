/** The MCP face alone, without HTTP: all that a pipe needs, and quicker to load. */

import type { Log } from '../../../actors/context.ts';
import { createCatalogs } from '../../gateway/catalogs.ts';
import type { Endpoints } from '../../gateway/contracts.ts';
import { createEndpoints } from '../../gateway/mcp/endpoints.ts';
import { createRelay } from '../../gateway/mcp/eras/relay.ts';
import type { Supervisor } from '../../options.ts';

/** Milliseconds from the start of this process to the answer of `initialize`, whatever the plugin does meanwhile: clients count from there. */
const ANSWER_WITHIN = 850;
/** One that is started before may be there within this, however late we are. */
const AT_LEAST = 50;

export function createPipeEndpoints(
  supervisor: Supervisor,
  { log, maxToolName }: { readonly log: Log; readonly maxToolName: number | undefined },
): Endpoints {
  const catalogs = createCatalogs({ supervisor, log });
  const relay = createRelay({ supervisor, log });
  // `performance.now()` begins with the process.
  const handshakeWait = Math.max(AT_LEAST, ANSWER_WITHIN - performance.now());
  const endpoints = createEndpoints({ supervisor, catalogs, relay, log, maxToolName, handshakeWait });
  return {
    all: (view) => endpoints.all(view),
    plugin: (name, view) => endpoints.plugin(name, view),
    keep: (isCurrent) => endpoints.keep(isCurrent),
    close() {
      endpoints.close();
      relay.close();
      catalogs.close();
    },
  };
}
