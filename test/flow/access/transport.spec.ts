import { connect } from 'node:net';
import { freshDatabase } from '../../support/databases.ts';
import { ADMIN_KEY, GuardedApp, useGuardedApp } from '../../support/guarded-app.ts';
import type { Answer } from '../../support/http.ts';
import { bodyOf, ShopClient } from '../../support/shop.ts';
import { startApp } from '../../support/start-app.ts';
import { ServerProcess } from '../../support/start-process.ts';

function headersOf({ headers }: Answer): Record<string, unknown> {
  return headers;
}

describe('Every answer', () => {
  const app = useGuardedApp('sqlite', { METRICS_OPEN: 'off' });

  it('tells browsers to do nothing with it, and caches to keep nothing of it', async () => {
    const { admin, anonymous } = app.it;
    const shop = new ShopClient(admin);
    const sku = await shop.stocked({ [await shop.location()]: 1 });
    const answers = [
      await anonymous.get('/health/live'),
      await anonymous.get('/v1/stock'),
      await admin.get('/v1/stock'),
      await admin.get('/v1/nowhere'),
      await admin.post('/v1/reservations', { lines: [{ sku, quantity: 1 }] }),
      await admin.post('/v1/auth/token'),
      await admin.get('/metrics'),
      await anonymous.send('OPTIONS', '/v1/stock', undefined, { headers: { origin: 'https://evil.example' } }),
      await admin.send('TRACE', '/v1/stock'),
    ];
    for (const answer of answers) {
      expect(headersOf(answer)).toMatchObject({
        'cache-control': 'no-store',
        'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
        'cross-origin-resource-policy': 'same-origin',
        'referrer-policy': 'no-referrer',
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
      });
      const names = Object.keys(answer.headers).join(' ');
      expect(names).not.toMatch(/access-control|^server| server|x-powered-by|set-cookie/);
    }
  });

  it('may be kept by its caller where it has a tag to ask again with', async () => {
    const shop = new ShopClient(app.it.admin, 'kept-');
    const path = `/v1/stock/${await shop.stocked({ [await shop.location()]: 1 })}`;
    const first = await app.it.admin.get(path);
    const again = await app.it.admin.get(path, { 'if-none-match': String(first.headers.etag) });
    expect([first.status, again.status]).toEqual([200, 304]);
    for (const { headers } of [first, again]) expect(headers['cache-control']).toBe('private, no-cache');
  });

  it('of the documentation may load what lies beside it', async () => {
    const { headers } = await app.it.anonymous.get('/docs');
    expect(headers['content-security-policy']).toContain("script-src 'self'");
    expect(headers['content-security-policy']).not.toMatch(/script-src[^;]*unsafe/);
  });

  it('on a bare connection says the same', async () => {
    const { port } = new URL(app.it.running.url);
    const text = await new Promise<string>((resolve, reject) => {
      const socket = connect(Number(port), '127.0.0.1', () => socket.end('NONSENSE\r\n\r\n'));
      let received = '';
      socket.on('data', (chunk) => (received += chunk.toString()));
      socket.on('end', () => {
        resolve(received);
      });
      socket.on('error', reject);
    });
    expect(text).toContain('cache-control: no-store\r\n');
    expect(text).toContain("content-security-policy: default-src 'none'");
  });
});

describe('Settings', () => {
  it('decide whether documentation and metrics are for everybody', async () => {
    const statuses = async (env: Record<string, string>) => {
      const app = new GuardedApp(await startApp('sqlite', { AUTH: 'on', HOLDFAST_ADMIN_KEY: ADMIN_KEY, ...env }));
      try {
        const paths = ['/docs', '/docs/errors', '/openapi.json', '/metrics', '/health/live', '/health/ready'];
        const ask = (api: GuardedApp['admin']) => Promise.all(paths.map(async (path) => (await api.get(path)).status));
        return [await ask(app.anonymous), await ask(app.admin)];
      } finally {
        await app.close();
      }
    };
    const open = [200, 200, 200, 200, 200, 200];
    expect(await statuses({})).toEqual([open, open]);
    expect(await statuses({ DOCS_OPEN: 'off', METRICS_OPEN: 'off' })).toEqual([[401, 401, 401, 401, 200, 200], open]);
    const elsewhere = await statuses({ HOST: '0.0.0.0' });
    expect(elsewhere).toEqual([[200, 200, 200, 401, 200, 200], open]);
    expect((await statuses({ HOST: '0.0.0.0', METRICS_OPEN: 'on' }))[0]).toEqual(open);
  });
});

describe('The log of a whole run', () => {
  it('holds none of the credentials that were used in it, wherever they were put', async () => {
    const database = await freshDatabase('sqlite');
    const env = { AUTH: 'on', HOLDFAST_ADMIN_KEY: ADMIN_KEY, DATABASE_URL: database.url, LOG_LEVEL: 'trace' };
    const server = await ServerProcess.start(env);
    const opened = [server.api.as({ 'x-api-key': ADMIN_KEY })];
    const secrets = [ADMIN_KEY];
    try {
      const [admin] = opened as [typeof server.api];
      for (const role of ['operator', 'storefront', 'auditor', 'platform']) {
        const { key } = bodyOf(await admin.post<{ key: string }>('/v1/admin/keys', { name: role, role }), 201);
        const api = server.api.as({ 'x-api-key': key });
        const { accessToken } = bodyOf(await api.post<{ accessToken: string }>('/v1/auth/token'));
        const bearer = server.api.as({ authorization: `Bearer ${accessToken}` });
        opened.push(api, bearer);
        secrets.push(key, accessToken);
        await api.get('/v1/stock');
        await bearer.get('/v1/reservations');
        await api.post('/v1/reservations', { lines: [], cartId: key });
        await bearer.post('/v1/auth/logout');
        await bearer.get('/v1/stock');
        for (const secret of [key, accessToken]) {
          await admin.get(`/v1/stock?apiKey=${secret}`);
          await admin.get(`/v1/reservations/${secret}`);
          await server.api.get('/v1/stock', { 'x-api-key': `${secret}x` });
          await server.api.get('/v1/stock', { authorization: `Basic ${secret}` });
          await admin.get('/v1/stock', { 'x-correlation-id': `wrong ${secret}` });
        }
      }
      const { output } = await server.stop();
      expect(output.match(/"msg":"request"/g)?.length).toBeGreaterThan(50);
      const shown = secrets.filter((secret) => output.includes(secret) || output.includes(secret.slice(-20)));
      expect(shown).toEqual([]);
    } finally {
      opened.forEach((api) => {
        api.close();
      });
      await database.drop();
    }
  });
});
