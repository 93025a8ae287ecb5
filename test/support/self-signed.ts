// A certificate for 127.0.0.1 that nobody trusts, for servers of tests that speak TLS.

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Undefined where there is no openssl on the PATH. */
export function selfSigned(directory: string): { key: string; cert: string } | undefined {
  const [keyPath, certPath] = [`${directory}/key.pem`, `${directory}/cert.pem`];
  const arguments_ = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];
  arguments_.push('-nodes', '-keyout', keyPath, '-out', certPath, '-days', '2', '-subj', '/CN=t');
  arguments_.push('-addext', 'subjectAltName=IP:127.0.0.1');
  try {
    execFileSync('openssl', arguments_, { stdio: 'ignore' });
  } catch {
    return undefined;
  }
  return { key: readFileSync(keyPath, 'utf8'), cert: readFileSync(certPath, 'utf8') };
}
