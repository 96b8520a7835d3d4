import {
  forge,
  type Json,
  partsOf,
  signedBy,
  TOLERANCE_SECONDS,
  TRUSTED_KID,
  trustedPair,
  wrongTokens,
} from '../../support/forged-tokens.ts';
import { useGuardedApp } from '../../support/guarded-app.ts';
import { problemOf } from '../../support/http.ts';
import { describeOnBothEngines } from '../../support/services.ts';
import { bodyOf } from '../../support/shop.ts';
import { rowsOf } from '../../support/sql.ts';

interface Token {
  readonly accessToken: string;
  readonly expiresInSeconds: number;
}

const ANYTHING = '/v1/stock';
describeOnBothEngines('A token', (engine) => {
  const app = useGuardedApp(engine, { ACCESS_TOKEN_SECONDS: '600', SIGNING_KEY_HOURS: '1' });
  const tokenOf = async (key: string) => bodyOf(await app.it.withKey(key).post<Token>('/v1/auth/token'));
  const statusOf = async (token: string) => (await app.it.withToken(token).get(ANYTHING)).status;

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
    const { databaseUrl, clock } = app.it.running;
    const trusted = await trustedPair(databaseUrl, clock.now() + 86_400_000);
    const { header, payload } = partsOf(accessToken);
    // What follows is refused for what is wrong with it, because this is not.
    expect(await statusOf(forge({ ...header, kid: TRUSTED_KID }, payload, signedBy(trusted)))).toBe(200);

    const refused = await wrongTokens(databaseUrl, accessToken, trusted, Math.floor(clock.now() / 1_000));
    expect(Object.keys(refused).length).toBeGreaterThan(30);
    const taken: string[] = [];
    for (const [name, token] of Object.entries(refused)) {
      const status = await statusOf(token);
      if (status !== 401) taken.push(`${name}: ${status}`);
    }
    expect(taken).toEqual([]);
    expect(await statusOf(accessToken)).toBe(200);
  });
});
