import { counts } from '../support/counts.ts';
import type { Answer } from '../support/http.ts';
import { Random, SEED } from '../support/random.ts';
import { describeOnPostgres } from '../support/services.ts';
import { type Shop, useShop } from '../support/shop.ts';
import { aStormWorld, storm } from '../support/storm.ts';

const STEPS = counts(150, 3_000);

/** Ids, and what is made of them, differ from server to server; their order of appearance does not. */
function normalised(answer: Answer, names: Map<string, string>): string {
  const text = answer.text
    .replace(/"correlationId":"[^"]*"/, '')
    .replace(/"nextCursor":"[^"]*"/, '"nextCursor":"there is more"')
    .replace(/[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/g, (id) => {
      const name = names.get(id) ?? `id-${names.size}`;
      names.set(id, name);
      return name;
    });
  return `${answer.status} ${text}`;
}

describeOnPostgres(`SQLite and PostgreSQL, asked the same, TEST_SEED=${SEED}`, () => {
  const shops = { sqlite: useShop('sqlite'), postgres: useShop('postgres') };

  async function answersOf(shop: Shop): Promise<string[]> {
    const world = await aStormWorld(shop.api, 'alike', 12);
    const answers = await storm(shop.api, world, new Random(SEED), STEPS, []);
    for (const path of [
      '/v1/stock',
      '/v1/reservations?limit=200',
      '/v1/transfers?limit=200',
      '/v1/locations',
      '/v1/products',
      `/v1/stock/${world.skus[0]}`,
    ]) {
      answers.push(await shop.api.get(path));
    }
    const names = new Map<string, string>();
    return answers.map((answer) => normalised(answer, names));
  }

  it('answer alike, to the letter', async () => {
    const sqlite = await answersOf(shops.sqlite);
    const postgres = await answersOf(shops.postgres);
    expect(postgres.filter((answer, i) => answer !== sqlite[i])).toEqual([]);
    expect(sqlite.length).toBeGreaterThan(STEPS);
  });
});
