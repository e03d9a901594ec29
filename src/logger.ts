import { type DestinationStream, type Logger, type LoggerOptions, pino } from 'pino';

/** Fields that may hold a secret, wherever they stand. */
const SECRET = ['env', 'credential', 'headers', 'authorization', 'token', 'password', 'secret'];

/**
 * A pino logger that redacts what may be secret; pass it as `logger`. Every line that concerns a plugin has its name
 * under `plugin`. Default destination: stderr, because stdout belongs to results.
 */
export function createLogger(options: LoggerOptions = {}, destination?: DestinationStream): Logger {
  return pino(
    {
      name: 'mcp-supervisor',
      redact: { paths: SECRET.flatMap((field) => [field, `*.${field}`, `*.*.${field}`]), censor: '[redacted]' },
      ...options,
    },
    destination ?? pino.destination(2),
  );
}
