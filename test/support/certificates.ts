// X.509 certificates for tests, made here: node:crypto has keys and signatures, and the rest is a
// little DER (ITU-T X.690) around the structures of RFC 5280.

import {
  createPrivateKey,
  generateKeyPairSync,
  randomBytes,
  sign,
  type KeyObject,
} from 'node:crypto';
import { isIPv4 } from 'node:net';
import type { TlsPair } from '#controller/sessions/tls-files.ts';

export interface Authority {
  /** PEM */
  readonly certificate: string;
  readonly name: string;
  readonly key: KeyObject;
}

export interface CertificateFacts {
  /** DNS names and IPv4 addresses. */
  readonly hosts?: readonly string[];
  readonly from?: Date;
  readonly until?: Date;
}

const DAY_MS = 86_400_000;
const OIDS = {
  ecdsaSha256: '2a8648ce3d040302', // 1.2.840.10045.4.3.2, RFC 5758
  commonName: '550403',
  basicConstraints: '551d13',
  subjectAltName: '551d11',
} as const;

export function makeAuthority(name = 'authority'): Authority {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const subject = { name, key: privateKey };
  const constraints = sequence(oid('basicConstraints'), bool(), octets(sequence(bool())));
  return { ...subject, certificate: signed({ subject, issuer: subject, extension: constraints }) };
}

/** For `localhost` and 127.0.0.1, valid from yesterday until tomorrow, if nothing else is said. */
export function makePair(authority: Authority, facts: CertificateFacts = {}): TlsPair {
  const { hosts = ['localhost', '127.0.0.1'] } = facts;
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const names = hosts.map(host =>
    isIPv4(host) ? tlv(0x87, host.split('.').map(Number)) : tlv(0x82, Buffer.from(host)),
  );
  const extension = sequence(oid('subjectAltName'), octets(sequence(...names)));
  const subject = { name: 'controller', key: privateKey };
  return {
    certificate: signed({ subject, issuer: authority, extension, facts }),
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

interface Party {
  readonly name: string;
  readonly key: KeyObject;
}

interface Signing {
  readonly subject: Party;
  readonly issuer: Party;
  readonly extension: Buffer;
  readonly facts?: CertificateFacts;
}

function signed({ subject, issuer, extension, facts = {} }: Signing): string {
  const { from = new Date(Date.now() - DAY_MS), until = new Date(Date.now() + DAY_MS) } = facts;
  const algorithm = sequence(oid('ecdsaSha256'));
  const toBeSigned = sequence(
    tlv(0xa0, tlv(0x02, [2])), // Version 3.
    tlv(0x02, [1, ...randomBytes(8)]),
    algorithm,
    nameOf(issuer),
    sequence(time(from), time(until)),
    nameOf(subject),
    publicKeyOf(subject.key),
    tlv(0xa3, sequence(extension)),
  );
  const signature = sign('sha256', toBeSigned, issuer.key);
  const whole = sequence(toBeSigned, algorithm, tlv(0x03, [0, ...signature]));
  const lines = whole.toString('base64').match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}

function publicKeyOf(key: KeyObject): Buffer {
  const jwk = createPrivateKey(key.export({ type: 'pkcs8', format: 'pem' })).export({
    format: 'jwk',
  });
  const point = [jwk.x, jwk.y].map(text => Buffer.from(text ?? '', 'base64url'));
  const curve = sequence(
    tlv(0x06, Buffer.from('2a8648ce3d0201', 'hex')), // id-ecPublicKey, RFC 5480
    tlv(0x06, Buffer.from('2a8648ce3d030107', 'hex')), // secp256r1
  );
  return sequence(curve, tlv(0x03, Buffer.concat([Buffer.from([0, 4]), ...point])));
}

function nameOf({ name }: Party): Buffer {
  return sequence(tlv(0x31, sequence(oid('commonName'), tlv(0x0c, Buffer.from(name)))));
}

function time(date: Date): Buffer {
  return tlv(0x18, Buffer.from(date.toISOString().replace(/[-:T]|\.\d+/g, '')));
}

function oid(name: keyof typeof OIDS): Buffer {
  return tlv(0x06, Buffer.from(OIDS[name], 'hex'));
}

function bool(): Buffer {
  return tlv(0x01, [0xff]);
}

function octets(content: Buffer): Buffer {
  return tlv(0x04, content);
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return tlv(0x30, Buffer.concat(parts));
}

function tlv(tag: number, content: Buffer | readonly number[]): Buffer {
  const body = Buffer.from(content);
  const { length } = body;
  if (length < 0x80) return Buffer.concat([Buffer.from([tag, length]), body]);
  const bytes = length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...bytes]), body]);
}
