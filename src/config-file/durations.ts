import { bytesOf } from '../confinement.ts';
import { millisecondsIn } from '../duration.ts';

/** `30s`, `5m`, `1.5h` in milliseconds; everything else as it is, for the check that follows. */
export const readDuration = (value: unknown): unknown =>
  typeof value === 'string' ? (millisecondsIn(value) ?? value) : value;

/** `16M`, `512K`, `1GiB` in bytes; everything else as it is. */
export const readSize = (value: unknown): unknown =>
  typeof value === 'string' ? (bytesOf(value.trim()) ?? value) : value;
