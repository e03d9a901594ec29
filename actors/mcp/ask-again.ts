/**
 * Asks once more when no answer has come after `after` ms; the first answer counts, the other question is cancelled. For
 * servers that take each chunk of stdin for one message, and so lose two that come together.
 */
export async function askAgain<T>(ask: (signal: AbortSignal) => Promise<T>, after: number): Promise<T> {
  const answered = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const again = new Promise<T>((resolve, reject) => {
    timer = setTimeout(() => ask(answered.signal).then(resolve, reject), after);
  });
  try {
    return await Promise.race([ask(answered.signal), again]);
  } finally {
    clearTimeout(timer);
    answered.abort();
  }
}
