import { counts } from '../support/counts.ts';
import { freshDatabase } from '../support/databases.ts';
import { SEED } from '../support/random.ts';
import { describeOnBothEngines } from '../support/services.ts';
import { runScript } from '../support/start-process.ts';

const KILLS = counts(3, 20);

describeOnBothEngines(`The crash loop, TEST_SEED=${SEED}`, (engine) => {
  it('finds nothing lost, nothing doubled and no rule broken by kills under a mixed load', async () => {
    const database = await freshDatabase(engine, 'disk');
    const where = engine === 'postgres' ? ['--database', database.url] : [];
    const args = ['--kills', String(KILLS), '--seed', String(SEED), '--engine', engine, ...where];
    const { code, output } = await runScript('crash', args, {});
    await database.drop();
    expect(output).toContain('violations: none');
    expect(output).toContain(`${KILLS} kills of servers`);
    expect(code).toBe(0);
  });
});
