/** Bookkeeping of a double: which run is on, and what it was given. */

/** The running instance of a double: at most one at a time, as the machine leaves it before it starts another. */
export function createRuns<Input, Handle>(what: string) {
  const inputs: Input[] = [];
  let current: Handle | null = null;
  return {
    inputs,
    begin(input: Input, handle: Handle) {
      inputs.push(input);
      current = handle;
      return () => {
        if (current === handle) current = null;
      };
    },
    isRunning: () => current !== null,
    handle(): Handle {
      if (current === null) throw new Error(`${what} is not running`);
      return current;
    },
    input: () => inputs.at(-1)!,
  };
}

interface Promised<Value> {
  readonly resolve: (value: Value) => void;
  readonly reject: (error: Error) => void;
}

export function createPromised<Input, Value>(what: string) {
  const runs = createRuns<Input, Promised<Value>>(what);
  const run = (input: Input, signal: AbortSignal) =>
    new Promise<Value>((resolve, reject) => {
      const end = runs.begin(input, {
        resolve(value) {
          end();
          resolve(value);
        },
        reject(error) {
          end();
          reject(error);
        },
      });
      signal.addEventListener('abort', end);
    });
  return { runs, run };
}
