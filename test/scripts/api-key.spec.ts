import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ADMIN_KEY, useGuardedApp } from '../support/guarded-app.ts';
import { runScript } from '../support/start-process.ts';

describe('A script against a server that asks for keys', () => {
  const app = useGuardedApp('sqlite');
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-key-'));
  const csv = join(folder, 'stock.csv');
  const sales = join(__dirname, '../../scripts/replay/sample/online-retail-excerpt.csv');

  beforeAll(async () => {
    writeFileSync(csv, 'sku,locationId,counted\nMUG,S1,10\n');
    await app.it.admin.put('/v1/locations/S1', { name: 'Berlin', kind: 'STORE' });
    await app.it.admin.put('/v1/products/MUG', { name: 'Mug' });
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  const commands = (url: string): [name: string, args: string[]][] => [
    ['import', [csv, '--url', url]],
    ['dead-letters', ['list', '--central', url]],
    ['replay', [sales, '--url', url]],
  ];

  it('ends at once without a key, and says which setting it wants', async () => {
    for (const [name, args] of commands(app.it.running.url)) {
      const { code, output } = await runScript(name, args, {});
      expect([name, code]).toEqual([name, 1]);
      expect(output).toContain('UNAUTHENTICATED');
      expect(output).toContain('set HOLDFAST_API_KEY to a key of this server');
    }
  });

  it('does its work with HOLDFAST_API_KEY', async () => {
    for (const [name, args] of commands(app.it.running.url).slice(0, 2)) {
      const { code, output } = await runScript(name, args, { HOLDFAST_API_KEY: ADMIN_KEY });
      expect([name, code, output]).toEqual([name, 0, expect.stringMatching(/1 applied, |None/)]);
    }
  });
});
