import { existsSync } from 'node:fs';
import pg from 'pg';
import { freshDatabase } from '../support/databases.ts';
import { describeOnPostgres, postgresIsThere } from '../support/services.ts';

describe('freshDatabase on SQLite', () => {
  it('names a file that is not there yet, in a folder that drop removes', async () => {
    const database = await freshDatabase('sqlite');
    const path = database.url.replace(/^sqlite:/, '');
    const folder = path.slice(0, path.lastIndexOf('/'));
    expect(existsSync(path)).toBe(false);
    expect(existsSync(folder)).toBe(true);
    await database.drop();
    await database.drop();
    expect(existsSync(folder)).toBe(false);
  });
});

describeOnPostgres('freshDatabase', () => {
  it('makes an empty database and drops it under an open connection', async () => {
    expect(await postgresIsThere()).toBe(true);
    const database = await freshDatabase('postgres');
    const client = new pg.Client({ connectionString: database.url });
    client.on('error', () => undefined);
    await client.connect();
    const { rows } = await client.query(`SELECT count(*)::int AS tables FROM pg_tables WHERE schemaname = 'public'`);
    expect(rows).toEqual([{ tables: 0 }]);
    await database.drop();
    await database.drop();
    await expect(client.query('SELECT 1')).rejects.toThrow();
  });
});
