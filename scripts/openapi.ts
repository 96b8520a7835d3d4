import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createApp } from '../src/app.ts';
import { buildOpenApi } from '../src/shared/http/openapi/document.ts';
import { readSettings } from '../src/shared/settings.ts';

/*
 * npm run openapi: writes docs/openapi.json as the running server answers it under /openapi.json. A test compares them.
 */

const TARGET = 'docs/openapi.json';

// The app wants a database, although nothing is written to it.
const folder = mkdtempSync(join(tmpdir(), 'holdfast-openapi-'));
try {
  const app = await createApp(
    readSettings({ LOG_LEVEL: 'silent', DATABASE_URL: `sqlite:${join(folder, 'db.sqlite')}` }),
  );
  const document = buildOpenApi(app);
  writeFileSync(TARGET, `${JSON.stringify(document, null, 2)}\n`);
  await app.close();
  console.log(`${TARGET}: ${Object.keys(document.paths).length} paths`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
