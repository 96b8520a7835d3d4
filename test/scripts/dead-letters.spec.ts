import { readOptions } from '../../scripts/dead-letters/options.ts';
import { UsageError } from '../../scripts/run-main.ts';
import { CallFailed, runDeadLetters } from '../../scripts/dead-letters/run.ts';
import { ApiClient } from '../../scripts/replay/api-client.ts';
import { eventually } from '../support/eventually.ts';
import { MIRROR, MirrorModule } from '../support/mirror.ts';
import { bodyOf, type Page, ShopClient } from '../support/shop.ts';
import { type RunningApp, startApp } from '../support/start-app.ts';

describe('The arguments of npm run dead-letters', () => {
  it('say what to do, with which letter and where', () => {
    expect(readOptions(['replay', 'L1', '--dry-run', '--central', 'http://central:3000/'])).toEqual({
      verb: 'replay',
      id: 'L1',
      dryRun: true,
      reason: null,
      status: 'DEAD',
      central: 'http://central:3000',
    });
    expect(readOptions(['discard', 'L1', '--reason', 'old'])).toMatchObject({ verb: 'discard', reason: 'old' });
    expect(readOptions(['--help'])).toBe('help');
  });

  it.each([
    [[]],
    [['bury', 'L1']],
    [['list', 'L1']],
    [['replay']],
    [['replay', 'L1', '--all']],
    [['replay', 'L1', 'L2']],
    [['discard', 'L1']],
    [['discard', '--reason', 'old']],
    [['discard', 'L1', '--reason', 'old', '--dry-run']],
    [['replay', 'L1', '--reason', 'old']],
    [['list', '--status', 'ALIVE']],
    [['list', '--central', 'central:3000']],
  ])('are refused: %j', (args) => {
    expect(() => readOptions(args)).toThrow(UsageError);
  });
});

describe('npm run dead-letters', () => {
  let app: RunningApp;
  let shop: ShopClient;
  let place: string;
  let sent: Headers[];

  beforeAll(async () => {
    app = await startApp('sqlite', { RELAY_ATTEMPTS_MAX: '1', RELAY_INTERVAL_MS: '20' }, [MirrorModule]);
    shop = new ShopClient(app.api);
    place = await shop.location();
  });

  afterAll(() => app.close());

  async function run(...args: string[]): Promise<{ well: boolean; text: string }> {
    const options = readOptions(args);
    if (options === 'help') throw new Error('not asked for');
    sent = [];
    const client = new ApiClient(app.url, {
      fetch: (url, init) => {
        sent.push(new Headers(init?.headers));
        return fetch(url, init);
      },
      wait: () => Promise.resolve(),
      random: Math.random,
      headers: { 'x-api-key': 'secret' },
    });
    const lines: string[] = [];
    const well = await runDeadLetters(options, client, (line) => lines.push(line));
    return { well, text: lines.join('\n') };
  }

  async function aDeadLetter(): Promise<{ id: string; sku: string; missing: string }> {
    const sku = await shop.product();
    const missing = shop.name('missing');
    bodyOf(await shop.tryMove(sku, place, 'RECEIPT', 5, { reference: `${MIRROR}${missing}` }), 201);
    const { id } = await eventually('the event is dead', async () => {
      const page = bodyOf(await app.api.get<Page<{ id: string; data: { sku: string } }>>('/v1/dead-letters'));
      return page.items.find(({ data }) => data.sku === sku);
    });
    return { id, sku, missing };
  }

  it('lists, rehearses, replays and discards through the HTTP API', async () => {
    const one = await aDeadLetter();
    const other = await aDeadLetter();
    const listed = await run('list');
    expect(listed.text.split('\n').slice(2)).toEqual([
      expect.stringMatching(new RegExp(`^${one.id} .* test.mirror .* 1 +DEAD +NOT_FOUND: There is no location`)),
      expect.stringContaining(other.id),
    ]);
    expect(sent[0]?.get('x-api-key')).toBe('secret');

    expect((await run('replay', one.id, '--dry-run')).well).toBe(false);
    await shop.location({}, one.missing);
    const rehearsed = await run('replay', one.id, '--dry-run');
    expect(rehearsed.well).toBe(true);
    expect(JSON.parse(rehearsed.text)).toMatchObject({ id: one.id, after: { stock: [{ onHand: 5 }] }, failure: null });
    expect(await run('replay', one.id)).toEqual({ well: true, text: expect.stringMatching(/ REPLAYED /) });
    expect((await shop.stock(one.sku, one.missing)).onHand).toBe(5);

    expect(await run('replay', '--all')).toEqual({ well: false, text: expect.stringMatching(/ 2 {2}DEAD /) });
    expect(await run('discard', other.id, '--reason', 'a test')).toEqual({
      well: true,
      text: expect.stringMatching(/ DISCARDED /),
    });
    expect((await run('list')).text).toBe('None.');
    expect((await run('replay', '--all')).text).toBe('No event waits.');
    expect((await run('list', '--status', 'DISCARDED')).text).toContain(other.id);
  });

  it('tells when the server says no', async () => {
    await expect(run('replay', 'none')).rejects.toThrow(CallFailed);
    await expect(run('replay', 'none')).rejects.toThrow('NOT_FOUND (404): There is no dead letter none');
  });
});
