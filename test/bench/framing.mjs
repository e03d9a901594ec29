// How long one long line blocks the event loop, while it comes in chunks as a pipe gives them: the reader of the stdio
// transport, which keeps a list of chunks, beside the usual one, which joins what it has with each new chunk and looks
// for a newline in all of it. `npm run build` first. Megabytes by argument; default 10 100.
import { performance } from 'node:perf_hooks';
import { createLineReader } from '../../dist/actors/mcp/framing.js';

const CHUNK = 64 * 1024;
const MB = 1024 * 1024;
const LIMIT = 1024 * MB;

function chunkList(onLine) {
  return createLineReader(LIMIT, { line: onLine, oversized: () => onLine('') });
}

function joining(onLine) {
  let held = Buffer.alloc(0);
  return (chunk) => {
    held = Buffer.concat([held, chunk]);
    for (let at = held.indexOf(10); at !== -1; at = held.indexOf(10)) {
      onLine(held.toString('utf8', 0, at));
      held = held.subarray(at + 1);
    }
  };
}

/** Nobody waits for the minutes that joining takes. */
const PATIENCE = 10_000;

/** The reader's time in all, and of its slowest chunk: the longest time in which nothing else happens. */
function measure(create, megabytes) {
  let lines = 0;
  const reader = create(() => {
    lines += 1;
  });
  const chunk = Buffer.alloc(CHUNK, 'x');
  let total = 0;
  let longest = 0;
  const take = (bytes) => {
    const start = performance.now();
    reader(bytes);
    const spent = performance.now() - start;
    total += spent;
    longest = Math.max(longest, spent);
  };
  // A pipe hands over a fresh buffer each time.
  let read = 0;
  for (; read < megabytes * MB && total < PATIENCE; read += CHUNK) take(Buffer.from(chunk));
  const givenUp = read < megabytes * MB;
  take(Buffer.from('\n'));
  if (lines !== 1) throw new Error(`${lines} lines`);
  return { total, longest, note: givenUp ? `, given up at ${Math.round(read / MB)} MB` : '' };
}

const sizes = process.argv.slice(2).map(Number);
const ms = (value) => `${value.toFixed(value < 10 ? 1 : 0)} ms`.padStart(9);
measure(chunkList, 1);
measure(joining, 1);
for (const megabytes of sizes.length > 0 ? sizes : [10, 100]) {
  const ours = measure(chunkList, megabytes);
  const usual = measure(joining, megabytes);
  const ratio = Math.round(usual.total / ours.total);
  console.log(
    `${String(megabytes).padStart(4)} MB  list of chunks   ${ms(ours.total)}, longest stall ${ms(ours.longest)}`,
  );
  console.log(`         joined each time ${ms(usual.total)}, ${ratio} times as long${usual.note}`);
}
