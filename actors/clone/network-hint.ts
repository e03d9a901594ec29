const UNTRUSTED =
  'The certificate of the host is not trusted here. Name your company’s in NODE_EXTRA_CA_CERTS or SSL_CERT_FILE (a PEM file).';
const PROXY =
  'The proxy did not let it through: see HTTP_PROXY and HTTPS_PROXY (http://user:password@host:port), and NO_PROXY for what goes past it.';

/** What to do where the network between here and the host is in the way; undefined when the words name nothing such. */
export function networkHint(said: string): string | undefined {
  if (/certificate/i.test(said)) return UNTRUSTED;
  return /\bproxy\b|\b407\b/i.test(said) ? PROXY : undefined;
}
