import { inspect } from 'node:util';
import type { Credential, Secrets } from '../launchers/plan.ts';

/** A login out of a URL. It shows as `[redacted]` wherever it is printed, logged, inspected or made JSON. */
export const createCredential = (username: string, password: string): Credential =>
  new RedactedCredential(username, password);

/** Both parts are private fields behind the prototype, so that no walk over an object's own keys finds them. */
class RedactedCredential implements Credential {
  readonly #username: string;
  readonly #password: string;

  constructor(username: string, password: string) {
    this.#username = username;
    this.#password = password;
  }

  get username(): string {
    return this.#username;
  }

  /** The password; '' when the URL had a user alone. */
  reveal(): string {
    return this.#password;
  }

  toJSON(): string {
    return '[redacted]';
  }

  toString(): string {
    return '[redacted]';
  }

  [inspect.custom](): string {
    return '[redacted]';
  }
}

/** Variables of a plugin. Their names show, their values don't. */
export const createSecrets = (values: Readonly<Record<string, string>>): Secrets => new RedactedSecrets(values);

class RedactedSecrets implements Secrets {
  readonly #values: Readonly<Record<string, string>>;

  constructor(values: Readonly<Record<string, string>>) {
    this.#values = values;
  }

  reveal(): Readonly<Record<string, string>> {
    return this.#values;
  }

  toJSON(): Readonly<Record<string, string>> {
    return Object.fromEntries(Object.keys(this.#values).map((name) => [name, '[redacted]']));
  }

  [inspect.custom](): Readonly<Record<string, string>> {
    return this.toJSON();
  }
}
