import { createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { change, rowsOf } from './sql.ts';

/*
 * Tokens as an attacker would make them, and as nobody but a server can: signed by a key that is put among the servers'
 * own, so that each is wrong in the one way that it is about.
 */

export type Json = Record<string, unknown>;

const encode = (value: Json): string => Buffer.from(JSON.stringify(value)).toString('base64url');

export function partsOf(token: string): { header: Json; payload: Json; signature: string } {
  const [header = '', payload = '', signature = ''] = token.split('.');
  const decode = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString('utf8')) as Json;
  return { header: decode(header), payload: decode(payload), signature };
}

/** A token that somebody makes by themselves. */
export function forge(header: Json, payload: Json, signature: (text: string) => Buffer | string): string {
  const text = `${encode(header)}.${encode(payload)}`;
  const signed = signature(text);
  return `${text}.${typeof signed === 'string' ? signed : signed.toString('base64url')}`;
}

export const signedBy = (key: KeyObject) => (text: string) => sign(null, Buffer.from(text), key);

export const TRUSTED_KID = '00000000-0000-7000-8000-000000000001';

/** A pair whose public part is among those of the servers. */
export async function trustedPair(databaseUrl: string, expiresAt: number): Promise<KeyObject> {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  await change(
    databaseUrl,
    `INSERT INTO signing_keys (tenant_id, id, public_key, created_at, expires_at)
     VALUES ('*', '${TRUSTED_KID}', '${JSON.stringify(publicKey.export({ format: 'jwk' }))}', 0, ${expiresAt})`,
  );
  return privateKey;
}

/** What the servers verify a token with, as they store it. */
export async function publicKeyOf(databaseUrl: string, kid: string): Promise<string> {
  const rows = await rowsOf<{ id: string; public_key: string }>(databaseUrl, 'SELECT * FROM signing_keys');
  return rows.find(({ id }) => id === kid)?.public_key ?? '';
}

/** Clocks of two servers may be so far apart. */
export const TOLERANCE_SECONDS = 5;

/**
 * Every way in which a token can be wrong, made from a good one.
 * @param trusted signs what the servers would believe
 * @param now in seconds, by the clock of the servers
 */
export async function wrongTokens(
  databaseUrl: string,
  good: string,
  trusted: KeyObject,
  now: number,
): Promise<Record<string, string>> {
  const { header, payload, signature } = partsOf(good);
  const ours = { ...header, kid: TRUSTED_KID };
  const stranger = generateKeyPairSync('ed25519').privateKey;
  const publicKey = await publicKeyOf(databaseUrl, String(header['kid']));
  const jwk = JSON.parse(publicKey) as { x: string };
  const hmac = (secret: string | Buffer) => (text: string) => createHmac('sha256', secret).update(text).digest();
  const without = (name: string) => Object.fromEntries(Object.entries(payload).filter(([claim]) => claim !== name));
  const wrong: Record<string, string> = {
    'changed payload': forge(header, { ...payload, sub: 'other' }, () => signature),
    'no signature': forge(header, payload, () => ''),
    none: forge({ ...header, alg: 'none' }, payload, () => ''),
    None: forge({ ...header, alg: 'None' }, payload, () => ''),
    'HS256 with the public key': forge({ ...header, alg: 'HS256' }, payload, hmac(publicKey)),
    'HS256 with its bytes': forge({ ...header, alg: 'HS256' }, payload, hmac(Buffer.from(jwk.x, 'base64url'))),
    'RS256 by name': forge({ ...ours, alg: 'RS256' }, payload, signedBy(trusted)),
    stranger: forge(header, payload, signedBy(stranger)),
    'unknown kid': forge({ ...ours, kid: TRUSTED_KID.replace(/1$/, 'f') }, payload, signedBy(trusted)),
    'no kid': forge({ alg: 'EdDSA', typ: 'at+jwt' }, payload, signedBy(trusted)),
    'kid as a list': forge({ ...ours, kid: [TRUSTED_KID] }, payload, signedBy(trusted)),
    'kid as SQL': forge({ ...ours, kid: "' OR 1=1 --" }, payload, signedBy(trusted)),
    'own key in the header': forge({ ...ours, kid: 'x', jwk }, payload, signedBy(stranger)),
    'another type': forge({ ...ours, typ: 'JWT' }, payload, signedBy(trusted)),
    critical: forge({ ...ours, crit: ['exp'] }, payload, signedBy(trusted)),
    issuer: forge(ours, { ...payload, iss: 'elsewhere' }, signedBy(trusted)),
    audience: forge(ours, { ...payload, aud: 'elsewhere' }, signedBy(trusted)),
    expired: forge(ours, { ...payload, exp: now - TOLERANCE_SECONDS }, signedBy(trusted)),
    'not yet': forge(ours, { ...payload, nbf: now + TOLERANCE_SECONDS + 1 }, signedBy(trusted)),
    'no such key': forge(ours, { ...payload, sub: 'nobody' }, signedBy(trusted)),
    'another tenant': forge(ours, { ...payload, tid: 'acme' }, signedBy(trusted)),
    'tenant as a list': forge(ours, { ...payload, tid: ['default'] }, signedBy(trusted)),
    'id as a number': forge(ours, { ...payload, jti: 1 }, signedBy(trusted)),
    'key as an object': forge(ours, { ...payload, sub: {} }, signedBy(trusted)),
    rubbish: 'a.b.c',
    'no dots': 'abc',
    'empty parts': '..',
    'five parts': `${good}.a.b`,
    long: `${good}${'x'.repeat(2_000)}`,
  };
  for (const claim of ['exp', 'nbf', 'iat', 'jti', 'sub', 'tid', 'iss', 'aud']) {
    wrong[`without ${claim}`] = forge(ours, without(claim), signedBy(trusted));
  }
  return wrong;
}
