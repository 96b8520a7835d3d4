import { execFile } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { useShop } from '../support/shop.ts';

const ROOT = join(__dirname, '..', '..');
const run = promisify(execFile);

/** Runs a program of Node. @throws Error with what it wrote, when it fails */
async function node(program: string, ...args: readonly string[]): Promise<string> {
  try {
    return (await run(process.execPath, [program, ...args])).stdout;
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string };
    throw new Error(`${program} failed:\n${stdout}${stderr}`, { cause: error });
  }
}

describe('A client that is generated from docs/openapi.json', () => {
  const shop = useShop('sqlite');
  let folder: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'holdfast-client-'));
    symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
    for (const file of ['reserve.ts', 'tsconfig.json']) copyFileSync(join(__dirname, file), join(folder, file));
    const generator = join(ROOT, 'node_modules', 'openapi-typescript', 'bin', 'cli.js');
    await node(generator, join(ROOT, 'docs', 'openapi.json'), '--output', join(folder, 'holdfast.ts'));
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('compiles under the strictest settings and makes a reservation', async () => {
    await node(join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc'), '--project', folder);
    expect(JSON.parse(await node(join(folder, 'reserve.js'), shop.url))).toEqual({
      received: 10,
      held: { locationId: 'S1', quantity: 2, fulfilled: false },
      short: { sku: 'MUG-RED', locationId: null, requested: 12, available: 10 },
      updated: 10,
      status: 'CONFIRMED',
      orderId: 'order-4711',
    });
  });
});
