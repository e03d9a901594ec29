import { randomBytes } from 'node:crypto';

/** Ids of clients, unique within the process however many faces it has. */
export function createClientIds(): () => string {
  const face = randomBytes(4).toString('hex');
  let count = 0;
  return () => {
    count += 1;
    return `${face}-${count}`;
  };
}
