/** What the client on a pipe can be asked: said in its first message, which stays there to be served. */

import type { Readable } from 'node:stream';
import { isFields } from '../../../actors/fields.ts';
import { CAPABILITIES_KEY } from '../../../actors/mcp/meta.ts';

type Capabilities = Readonly<Record<string, unknown>>;

/**
 * Roots are left out: servers ask for them when no call is in flight, and then nobody can be asked on whose behalf it is.
 */
const QUESTIONS = ['sampling', 'elicitation'];
/** A first message that is longer is none. */
const LONGEST = 1024 * 1024;

/** Resolves with what it declares, or null when it declares nothing, or ends without a word. */
export async function declaredBy(input: Readable): Promise<Capabilities | null> {
  const capabilities = capabilitiesIn(await peekLine(input));
  const declared = Object.entries(capabilities).filter(([kind]) => QUESTIONS.includes(kind));
  return declared.length === 0 ? null : Object.fromEntries(declared);
}

/** In `initialize`, or in the envelope that every request of the newer era has. */
function capabilitiesIn(line: string): Capabilities {
  let message: unknown;
  try {
    message = JSON.parse(line);
  } catch {
    return {};
  }
  const params = isFields(message) && isFields(message.params) ? message.params : {};
  const envelope = isFields(params._meta) ? params._meta[CAPABILITIES_KEY] : undefined;
  const capabilities = envelope ?? params.capabilities;
  return isFields(capabilities) ? capabilities : {};
}

function peekLine(input: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  return new Promise((resolve) => {
    const done = () => {
      input.off('readable', read).off('end', done).off('error', done);
      const text = Buffer.concat(chunks);
      if (bytes > 0 && !input.readableEnded) input.unshift(text);
      const end = text.indexOf('\n');
      resolve(text.toString('utf8', 0, end < 0 ? undefined : end));
    };
    const read = () => {
      for (let chunk = input.read(); chunk !== null; chunk = input.read()) {
        chunks.push(chunk);
        bytes += chunk.length;
        if (bytes > LONGEST || chunk.includes('\n')) return done();
      }
    };
    input.on('readable', read).once('end', done).once('error', done);
    read();
  });
}
