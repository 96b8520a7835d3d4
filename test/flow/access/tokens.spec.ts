import { createHmac, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { useGuardedApp } from '../../support/guarded-app.ts';
import { problemOf } from '../../support/http.ts';
import { describeOnBothEngines } from '../../support/services.ts';
import { bodyOf } from '../../support/shop.ts';
import { change, rowsOf } from '../../support/sql.ts';

interface Token {
  readonly accessToken: string;
  readonly expiresInSeconds: number;
}

type Json = Record<string, unknown>;

const ANYTHING = '/v1/stock';
/** Clocks of two servers may be so far apart. */
const TOLERANCE_SECONDS = 5;

const encode = (value: Json): string => Buffer.from(JSON.stringify(value)).toString('base64url');

function partsOf(token: string): { header: Json; payload: Json; signature: string } {
  const [header = '', payload = '', signature = ''] = token.split('.');
  const decode = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString('utf8')) as Json;
  return { header: decode(header), payload: decode(payload), signature };
}

/** A token that somebody makes by themselves. */
function forge(header: Json, payload: Json, signature: (text: string) => Buffer | string): string {
  const text = `${encode(header)}.${encode(payload)}`;
  const signed = signature(text);
  return `${text}.${typeof signed === 'string' ? signed : signed.toString('base64url')}`;
}

const signedBy = (key: KeyObject) => (text: string) => sign(null, Buffer.from(text), key);

describeOnBothEngines('A token', (engine) => {
  const app = useGuardedApp(engine, { ACCESS_TOKEN_SECONDS: '600', SIGNING_KEY_HOURS: '1' });
  const tokenOf = async (key: string) => bodyOf(await app.it.withKey(key).post<Token>('/v1/auth/token'));
  const statusOf = async (token: string) => (await app.it.withToken(token).get(ANYTHING)).status;

  /** A pair whose public part is among those of the servers: what only the servers themselves can have. */
  async function trustedPair(kid = '00000000-0000-7000-8000-000000000001'): Promise<KeyObject> {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    const until = app.it.running.clock.now() + 86_400_000;
    await change(
      app.it.running.databaseUrl,
      `INSERT INTO signing_keys (tenant_id, id, public_key, created_at, expires_at)
       VALUES ('*', '${kid}', '${JSON.stringify(publicKey.export({ format: 'jwk' }))}', 0, ${until})`,
    );
    return privateKey;
  }

  it('stands for its key, for a while', async () => {
    const { key } = await app.it.makeKey({ role: 'auditor' });
    const { accessToken, expiresInSeconds } = await tokenOf(key);
    expect(expiresInSeconds).toBe(600);
    expect(await statusOf(accessToken)).toBe(200);
    problemOf(await app.it.withToken(accessToken).put('/v1/products/A', { name: 'A' }), 403, 'FORBIDDEN');
    app.it.running.clock.advanceSeconds(600 + TOLERANCE_SECONDS - 0.001);
    expect(await statusOf(accessToken)).toBe(200);
    app.it.running.clock.advanceSeconds(0.001);
    expect(await statusOf(accessToken)).toBe(401);
  });

  it('is over when its key is, by time or because it was revoked', async () => {
    const expiresAt = new Date(app.it.running.clock.now() + 60_000).toISOString();
    const { key } = await app.it.makeKey({ role: 'auditor', expiresAt });
    const short = await tokenOf(key);
    expect(short.expiresInSeconds).toBe(60);
    app.it.running.clock.advanceSeconds(60);
    expect(await statusOf(short.accessToken)).toBe(401);

    const other = await app.it.makeKey({ role: 'auditor' });
    const { accessToken } = await tokenOf(other.key);
    expect(await statusOf(accessToken)).toBe(200);
    bodyOf(await app.it.admin.send('DELETE', `/v1/admin/keys/${other.id}`));
    expect(await statusOf(accessToken)).toBe(401);
  });

  it('is made for a key and not for a token, and only a token is given back', async () => {
    const { key } = await app.it.makeKey({ role: 'store', locationId: 'S1' });
    const { accessToken } = await tokenOf(key);
    problemOf(await app.it.withToken(accessToken).post('/v1/auth/token'), 403, 'FORBIDDEN');
    problemOf(await app.it.withKey(key).post('/v1/auth/logout'), 403, 'FORBIDDEN');
    problemOf(await app.it.anonymous.post('/v1/auth/token'), 401, 'UNAUTHENTICATED');
    problemOf(await app.it.anonymous.post('/v1/auth/logout'), 401, 'UNAUTHENTICATED');
  });

  it('is good at every server, and given back to all of them at once', async () => {
    const other = await app.it.another(engine);
    try {
      const { key } = await app.it.makeKey({ role: 'auditor' });
      const [{ accessToken }, kept] = [await tokenOf(key), await tokenOf(key)];
      const there = other.withToken(accessToken);
      expect((await there.get(ANYTHING)).status).toBe(200);
      expect((await app.it.withToken(accessToken).post('/v1/auth/logout')).status).toBe(204);
      problemOf(await there.get(ANYTHING), 401, 'UNAUTHENTICATED');
      problemOf(await there.post('/v1/auth/logout'), 401, 'UNAUTHENTICATED');
      expect(await statusOf(accessToken)).toBe(401);
      expect(await statusOf(kept.accessToken)).toBe(200);
    } finally {
      await other.close();
    }
  });

  it('stays good when the server signs with another key by now, which it does every SIGNING_KEY_HOURS', async () => {
    const { key } = await app.it.makeKey({ role: 'auditor' });
    app.it.running.clock.advanceSeconds(3_600);
    const kidOf = (token: Token) => partsOf(token.accessToken).header['kid'];
    const first = await tokenOf(key);
    app.it.running.clock.advanceSeconds(3_599);
    const old = await tokenOf(key);
    app.it.running.clock.advanceSeconds(1);
    const fresh = await tokenOf(key);
    expect(kidOf(old)).toBe(kidOf(first));
    expect(kidOf(fresh)).not.toBe(kidOf(old));
    app.it.running.clock.advanceSeconds(598);
    expect([await statusOf(old.accessToken), await statusOf(fresh.accessToken)]).toEqual([200, 200]);
  });

  it('has nothing beside it in the database that could sign', async () => {
    await tokenOf((await app.it.makeKey({ role: 'auditor' })).key);
    const rows = await rowsOf<{ public_key: string }>(app.it.running.databaseUrl, 'SELECT * FROM signing_keys');
    expect(rows.length).toBeGreaterThan(0);
    for (const { public_key: jwk } of rows)
      expect(Object.keys(JSON.parse(jwk) as Json).sort()).toEqual(['crv', 'kty', 'x']);
  });

  it('is believed only as the server itself makes it', async () => {
    const { key } = await app.it.makeKey({ role: 'auditor' });
    const { accessToken } = await tokenOf(key);
    const { header, payload, signature } = partsOf(accessToken);
    const trusted = await trustedPair();
    const ours = { ...header, kid: '00000000-0000-7000-8000-000000000001' };
    // What follows is refused for what it changes, because this is not.
    expect(await statusOf(forge(ours, payload, signedBy(trusted)))).toBe(200);

    const stranger = generateKeyPairSync('ed25519').privateKey;
    const { public_key: publicKey = '' } =
      (await rowsOf<{ id: string; public_key: string }>(app.it.running.databaseUrl, 'SELECT * FROM signing_keys')).find(
        ({ id }) => id === header['kid'],
      ) ?? {};
    const secrets = [publicKey, Buffer.from((JSON.parse(publicKey) as { x: string }).x, 'base64url')];
    const now = Math.floor(app.it.running.clock.now() / 1_000);
    const without = (name: string) => Object.fromEntries(Object.entries(payload).filter(([claim]) => claim !== name));
    const refused: Record<string, string> = {
      'changed payload': forge(header, { ...payload, sub: 'other' }, () => signature),
      'no signature': forge(header, payload, () => ''),
      none: forge({ ...header, alg: 'none' }, payload, () => ''),
      None: forge({ ...header, alg: 'None' }, payload, () => ''),
      stranger: forge(header, payload, signedBy(stranger)),
      'unknown kid': forge({ ...ours, kid: '00000000-0000-7000-8000-00000000000f' }, payload, signedBy(trusted)),
      'no kid': forge({ alg: 'EdDSA', typ: 'at+jwt' }, payload, signedBy(trusted)),
      'kid as SQL': forge({ ...ours, kid: "' OR 1=1 --" }, payload, signedBy(trusted)),
      'own key in the header': forge(
        { ...ours, kid: 'x', jwk: JSON.parse(publicKey) as Json },
        payload,
        signedBy(stranger),
      ),
      'another type': forge({ ...ours, typ: 'JWT' }, payload, signedBy(trusted)),
      critical: forge({ ...ours, crit: ['exp'] }, payload, signedBy(trusted)),
      issuer: forge(ours, { ...payload, iss: 'elsewhere' }, signedBy(trusted)),
      audience: forge(ours, { ...payload, aud: 'elsewhere' }, signedBy(trusted)),
      expired: forge(ours, { ...payload, exp: now - TOLERANCE_SECONDS }, signedBy(trusted)),
      'not yet': forge(ours, { ...payload, nbf: now + TOLERANCE_SECONDS + 1 }, signedBy(trusted)),
      'no such key': forge(ours, { ...payload, sub: 'nobody' }, signedBy(trusted)),
      'another tenant': forge(ours, { ...payload, tid: 'acme' }, signedBy(trusted)),
      'tenant as a list': forge(ours, { ...payload, tid: ['default'] }, signedBy(trusted)),
      rubbish: 'a.b.c',
      'no dots': 'abc',
      'five parts': `${accessToken}.a.b`,
      long: `${accessToken}${'x'.repeat(2_000)}`,
    };
    for (const [index, secret] of secrets.entries()) {
      const hmac = (text: string) => createHmac('sha256', secret).update(text).digest();
      refused[`HS256 with the public key (${index})`] = forge({ ...header, alg: 'HS256' }, payload, hmac);
    }
    for (const claim of ['exp', 'nbf', 'iat', 'jti', 'sub', 'tid', 'iss', 'aud']) {
      refused[`without ${claim}`] = forge(ours, without(claim), signedBy(trusted));
    }
    const taken: string[] = [];
    for (const [name, token] of Object.entries(refused)) {
      const status = await statusOf(token);
      if (status !== 401) taken.push(`${name}: ${status}`);
    }
    expect(taken).toEqual([]);
    expect(await statusOf(accessToken)).toBe(200);
  });
});
