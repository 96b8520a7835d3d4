import { existsSync, readFileSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { readSettings } from '../../../src/shared/settings.ts';
import { freshDatabase } from '../../support/databases.ts';
import { ADMIN_KEY, GuardedApp } from '../../support/guarded-app.ts';
import { problemOf } from '../../support/http.ts';
import { bodyOf } from '../../support/shop.ts';
import { ServerProcess } from '../../support/start-process.ts';
import { startApp } from '../../support/start-app.ts';

describe('The first key', () => {
  it('is made at the first start, for the eyes of its user only, and stays the same', async () => {
    const database = await freshDatabase('sqlite');
    const file = path.join(path.dirname(database.url.slice('sqlite:'.length)), 'admin.key');
    const start = async () => new GuardedApp(await startApp('sqlite', { AUTH: 'on', DATABASE_URL: database.url }));
    try {
      const first = await start();
      const key = readFileSync(file, 'utf8').trim();
      expect(statSync(file).mode & 0o777).toBe(0o600);
      expect((await first.withKey(key).get('/v1/admin/tenants')).status).toBe(200);
      expect((await first.withKey(key).get('/v1/stock')).status).toBe(200);
      await first.close();

      rmSync(file);
      const second = await start();
      expect(existsSync(file)).toBe(false);
      const admin = second.withKey(key);
      const { items } = bodyOf(await admin.get<{ items: { id: string; role: string }[] }>('/v1/admin/keys'));
      expect(items.map(({ role }) => role)).toEqual(['admin']);
      bodyOf(await admin.send('DELETE', `/v1/admin/keys/${items[0]?.id}`));
      problemOf(await admin.get('/v1/stock'), 401, 'UNAUTHENTICATED');
      await second.close();

      const third = await start();
      const fresh = readFileSync(file, 'utf8').trim();
      expect(fresh).not.toBe(key);
      expect((await third.withKey(fresh).get('/v1/stock')).status).toBe(200);
      await third.close();
    } finally {
      await database.drop();
    }
  });

  it('is the one of HOLDFAST_ADMIN_KEY, which is printed nowhere, and a later one counts, too', async () => {
    const database = await freshDatabase('sqlite');
    const file = path.join(path.dirname(database.url.slice('sqlite:'.length)), 'admin.key');
    const env = { AUTH: 'on', DATABASE_URL: database.url, LOG_LEVEL: 'trace' };
    try {
      for (const key of [ADMIN_KEY, `another-${ADMIN_KEY}`]) {
        const server = await ServerProcess.start({ ...env, HOLDFAST_ADMIN_KEY: key });
        const api = server.api.as({ 'x-api-key': ADMIN_KEY });
        expect((await api.get('/v1/stock')).status).toBe(200);
        const later = server.api.as({ 'x-api-key': key });
        expect((await later.get('/v1/stock')).status).toBe(200);
        api.close();
        later.close();
        const { output } = await server.stop();
        expect(output).not.toContain(key);
        expect(output).toContain('"msg":"request"');
      }
      expect(existsSync(file)).toBe(false);
    } finally {
      await database.drop();
    }
  });

  it('is asked for by default, and made for a database that was used without keys, which keeps what it had', async () => {
    expect(readSettings({}).auth).toBe('on');
    const database = await freshDatabase('sqlite');
    const file = path.join(path.dirname(database.url.slice('sqlite:'.length)), 'admin.key');
    try {
      const before = await ServerProcess.start({ AUTH: 'off', DATABASE_URL: database.url });
      bodyOf(await before.api.put('/v1/locations/S1', { name: 'Berlin', kind: 'STORE' }), 201);
      await before.stop();
      expect(existsSync(file)).toBe(false);

      const after = await ServerProcess.start({ AUTH: readSettings({}).auth, DATABASE_URL: database.url });
      problemOf(await after.api.get('/v1/locations/S1'), 401, 'UNAUTHENTICATED');
      const key = readFileSync(file, 'utf8').trim();
      const admin = after.api.as({ 'x-api-key': key });
      expect((await admin.get('/v1/locations/S1')).status).toBe(200);
      admin.close();
      const { output } = await after.stop();
      expect(output).toContain(`The first one is in ${file}\n`);
      expect(output).not.toContain(key);
    } finally {
      await database.drop();
    }
  });

  it('is not needed with AUTH=off, which is refused where others could reach the server', async () => {
    const database = await freshDatabase('sqlite');
    try {
      const open = await ServerProcess.launch({ AUTH: 'off', HOST: '0.0.0.0', DATABASE_URL: database.url });
      const { code, output } = await open.exit();
      expect(code).toBe(1);
      expect(output).toContain('AUTH is off; it must be on unless HOST is a loopback address');
      const server = await ServerProcess.start({ AUTH: 'off', DATABASE_URL: database.url });
      expect((await server.api.get('/v1/stock')).status).toBe(200);
      expect((await server.stop()).output).toContain('AUTH=off: nobody is asked for a key');
    } finally {
      await database.drop();
    }
  });
});
