/** A company's own certificate authority, and a host that it vouches for; made afresh by openssl. */

import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface Certificates {
  /** Path of the authority's certificate, PEM: what users put into NODE_EXTRA_CA_CERTS. */
  readonly ca: string;
  /** Of a server named `localhost`, `127.0.0.1` and `*.corp.test`. */
  readonly cert: string;
  readonly key: string;
}

/** Null where there is no openssl. */
export async function makeCertificates(folder: string): Promise<Certificates | null> {
  await mkdir(folder, { recursive: true });
  const at = (name: string) => join(folder, name);
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  await writeFile(
    at('server.ext'),
    'subjectAltName = DNS:localhost, DNS:*.corp.test, IP:127.0.0.1\nextendedKeyUsage = serverAuth\nbasicConstraints = CA:FALSE\n',
  );
  await writeFile(
    at('ca.cnf'),
    '[req]\ndistinguished_name = name\nx509_extensions = ca\nprompt = no\n[name]\nCN = Test company\n[ca]\nbasicConstraints = critical, CA:TRUE\nkeyUsage = critical, keyCertSign, cRLSign\nsubjectKeyIdentifier = hash\n',
  );
  try {
    await run('openssl', [
      'req',
      '-x509',
      ...key,
      '-days',
      '2',
      '-config',
      at('ca.cnf'),
      '-keyout',
      at('ca.key'),
      '-out',
      at('ca.pem'),
    ]);
    await run('openssl', [
      'req',
      ...key,
      '-subj',
      '/CN=localhost',
      '-keyout',
      at('server.key'),
      '-out',
      at('server.csr'),
    ]);
    await run('openssl', [
      'x509',
      '-req',
      '-in',
      at('server.csr'),
      '-CA',
      at('ca.pem'),
      '-CAkey',
      at('ca.key'),
      '-CAcreateserial',
      '-days',
      '2',
      '-extfile',
      at('server.ext'),
      '-out',
      at('server.pem'),
    ]);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  const [cert, serverKey] = await Promise.all([readFile(at('server.pem'), 'utf8'), readFile(at('server.key'), 'utf8')]);
  return { ca: at('ca.pem'), cert, key: serverKey };
}
