import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { createApp } from '../src/app.ts';
import { buildOpenApi } from '../src/shared/http/openapi/document.ts';
import { readSettings } from '../src/shared/settings.ts';
import { withRoleTable } from './openapi/role-table.ts';

/*
 * npm run openapi: writes docs/openapi.json as the running server answers it under /openapi.json, and the table of
 * docs/access.md, which says of each call who may make it. Tests compare them.
 */

const TARGET = 'docs/openapi.json';
const ACCESS_PAGE = 'docs/access.md';

// The app wants a database, although nothing is written to it.
const folder = mkdtempSync(join(tmpdir(), 'holdfast-openapi-'));
try {
  const app = await createApp(
    readSettings({ LOG_LEVEL: 'silent', AUTH: 'off', DATABASE_URL: `sqlite:${join(folder, 'db.sqlite')}` }),
  );
  const document = buildOpenApi(app);
  writeFileSync(TARGET, `${JSON.stringify(document, null, 2)}\n`);
  const page = withRoleTable(readFileSync(ACCESS_PAGE, 'utf8'), document);
  writeFileSync(ACCESS_PAGE, await format(page, { ...(await resolveConfig(ACCESS_PAGE)), filepath: ACCESS_PAGE }));
  await app.close();
  console.log(`${TARGET}: ${Object.keys(document.paths).length} paths`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
