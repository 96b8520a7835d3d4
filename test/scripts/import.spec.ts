import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { readOptions } from '../../scripts/import/options.ts';
import { UsageError } from '../../scripts/run-main.ts';
import { sendFile } from '../../scripts/import/send-file.ts';
import { bodyOf, type StockItem, stockPath, useShop } from '../support/shop.ts';

describe('The arguments of npm run import', () => {
  it('tell the format by the ending', () => {
    expect(readOptions(['stock.csv'])).toMatchObject({ mediaType: 'text/csv', isGzip: false, key: null });
    expect(readOptions(['a.b/stock.JSONL.gz'])).toMatchObject({ mediaType: 'application/x-ndjson', isGzip: true });
    expect(readOptions(['x.ndjson', '--url', 'http://h:1/'])).toMatchObject({ url: 'http://h:1' });
    expect(readOptions(['--help'])).toBe('help');
  });

  it.each([
    [[]],
    [['a.csv', 'b.csv']],
    [['a.xlsx']],
    [['a.csv', '--url', 'h:1']],
    [['a.csv', '--key', 'ö']],
    [['a.csv.gz', '--gzip']],
  ])('are refused: %j', (args) => {
    expect(() => readOptions(args)).toThrow(UsageError);
  });
});

describe('npm run import', () => {
  const shop = useShop('sqlite');
  let folder: string;
  let said: string[];
  let proxy: Server | undefined;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'holdfast-import-'));
  });
  beforeEach(() => {
    said = [];
  });
  afterEach(() => proxy?.close());
  afterAll(() => rm(folder, { recursive: true, force: true }));

  async function run(...args: string[]): Promise<boolean> {
    const options = readOptions(args);
    if (options === 'help') throw new Error('not asked for');
    return sendFile(options, {
      wait: () => Promise.resolve(),
      random: () => 0,
      say: (line) => said.push(line),
      progress: () => undefined,
      apiKey: null,
    });
  }

  async function file(name: string, content: string | Buffer): Promise<string> {
    const path = join(folder, name);
    await writeFile(path, content);
    return path;
  }

  async function onHand(sku: string, locationId: string): Promise<number> {
    return bodyOf(await shop.api.get<StockItem>(stockPath(sku, locationId))).onHand;
  }

  it('applies every row once, plain, compressed or compressed on the way, however often it is run', async () => {
    const [sku, place] = [await shop.product(), await shop.location()];
    const csv = `sku,locationId,type,quantity\n${sku},${place},RECEIPT,7\n${sku},${place},SALE,2\n`;
    expect(await run(await file('a.csv', csv), '--url', shop.url)).toBe(true);
    expect(said.at(-1)).toBe('2 rows: 2 applied, 0 done before, 0 refused');
    expect(await run(await file('b.csv', csv), '--url', shop.url, '--gzip')).toBe(true);
    expect(said.at(-1)).toBe('2 rows: 0 applied, 2 done before, 0 refused');
    const row = `${JSON.stringify({ sku, locationId: place, counted: 9 })}\n`;
    expect(await run(await file('c.ndjson.gz', gzipSync(row)), '--url', shop.url)).toBe(true);
    expect(await onHand(sku, place)).toBe(9);
  });

  it('says which rows were refused, and reports them all', async () => {
    const [sku, place] = [await shop.product(), await shop.location()];
    const rows = Array.from({ length: 30 }, (_, index) => `none-${index},${place},1`);
    const path = await file('refused.csv', `sku,locationId,counted\n${sku},${place},4\n${rows.join('\n')}\n`);
    const report = join(folder, 'refused.jsonl');
    expect(await run(path, '--url', shop.url, '--report', report)).toBe(false);
    expect(said).toHaveLength(1 + 20 + 1);
    expect(said[1]).toMatch(/^row 2: UNKNOWN_PRODUCT: /);
    expect(said.at(-1)).toBe('31 rows: 1 applied, 0 done before, 30 refused');
    expect((await readFile(report, 'utf8')).trim().split('\n')).toHaveLength(30);
    expect(await onHand(sku, place)).toBe(4);
  });

  it('goes on where it was cut, and doubles nothing', async () => {
    const [sku, place] = [await shop.product(), await shop.location()];
    const rows = Array.from({ length: 20_000 }, () => `${sku},${place},RECEIPT,1\n`);
    const path = await file('cut.csv', `sku,locationId,type,quantity\n${rows.join('')}`);
    const url = await cuttingProxy(2, 100_000);
    expect(await run(path, '--url', url)).toBe(true);
    expect(said.filter((line) => line.startsWith('Cut after row'))).toHaveLength(2);
    expect(said.at(-1)).toMatch(/^20000 rows: \d+ applied, \d+ done before, 0 refused$/);
    expect(await onHand(sku, place)).toBe(20_000);
  });

  it('does not repeat what the server refuses as a whole, and gives up when nobody answers', async () => {
    const path = await file('whole.csv', 'a,b\n1,2\n');
    expect(await run(path, '--url', shop.url)).toBe(false);
    expect(said.at(-1)).toMatch(/VALIDATION_FAILED/);
    said = [];
    expect(await run(path, '--url', 'http://127.0.0.1:9')).toBe(false);
    expect(said.at(-1)).toMatch(/^Given up after row 0: /);
    expect(said.filter((line) => line.startsWith('Cut after row 0'))).toHaveLength(9);
  });

  /** A way to the server that breaks the first connections once this much has been answered on them. */
  async function cuttingProxy(cuts: number, answeredBytes: number): Promise<string> {
    const { port } = new URL(shop.url);
    let left = cuts;
    proxy = createServer((client: Socket) => {
      const server = connect(Number(port), '127.0.0.1');
      const isCut = left > 0;
      left -= 1;
      let bytes = 0;
      client.on('error', () => server.destroy()).pipe(server);
      server.on('error', () => client.destroy()).pipe(client);
      server.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (isCut && bytes > answeredBytes) {
          client.destroy();
          server.destroy();
        }
      });
    });
    await new Promise<void>((resolve) => proxy?.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(proxy.address() as { port: number }).port}`;
  }
});
