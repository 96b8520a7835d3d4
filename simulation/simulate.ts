import { randomInt } from 'node:crypto';
import { runMain } from '../scripts/run-main.ts';
import { readOptions, type Options, USAGE } from './options.ts';
import { notMet, STORIES_THAT_MEET_ALL } from './requirements.ts';
import { type Failed, Run, type RunResult } from './run.ts';
import { drawStory } from './story/draw-story.ts';

/** Pause between two lines of progress, in milliseconds. */
const PROGRESS_MS = 60_000;
/** Most failures that are told: the others are likely to be the same mistake. */
const FAILURES_TOLD = 5;

/** @returns the exit code, as the usage says */
async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2), randomInt(0xffff_ffff));
  if (options === 'help') {
    console.log(USAGE);
    return 0;
  }
  const run = await Run.open();
  try {
    return await simulate(run, options);
  } finally {
    run.close();
  }
}

async function simulate(run: Run, options: Options): Promise<number> {
  const { seeds, firstSeed } = options;
  console.log(`${seeds} ${seeds === 1 ? 'story' : 'stories'} from seed ${firstSeed} on`);
  let saidMs = performance.now();
  const result = await run.tellAll(numbers(firstSeed, seeds), (stories) => {
    if (performance.now() - saidMs < PROGRESS_MS) return;
    saidMs = performance.now();
    console.log(`  ${stories} stories`);
  });
  report(result);
  for (const failed of result.failed.slice(0, FAILURES_TOLD)) await tellFailure(run, failed, options.shrinkSeconds);
  if (options.transcript) await tellTranscript(run, firstSeed);
  const missing = options.isReplay || seeds < STORIES_THAT_MEET_ALL ? [] : notMet(result.coverage);
  if (missing.length > 0) console.log(`This run proves too little; it has not met: ${missing.join(', ')}`);
  if (result.failed.length > 0) console.log(`FAILED: seeds ${result.failed.map(({ seed }) => seed).join(', ')}`);
  else console.log('All rules hold.');
  return result.failed.length > 0 || missing.length > 0 ? 1 : 0;
}

function* numbers(first: number, count: number): Generator<number> {
  for (let index = 0; index < count; index += 1) yield (first + index) >>> 0;
}

function report({ stories, deeds, seconds, coverage }: RunResult): void {
  const hourly = (count: number): string => Math.round((count * 3_600) / seconds).toLocaleString('en');
  for (const [name, times] of coverage.entries) console.log(`  ${name.padEnd(48)}${String(times).padStart(10)}`);
  const took = `${stories} stories, ${deeds} operations in ${seconds.toFixed(1)} s`;
  console.log(`${took}: ${hourly(stories)} seeds/hour, ${hourly(deeds)} operations/hour`);
}

async function tellFailure(run: Run, failed: Failed, shrinkSeconds: number): Promise<void> {
  const { seed, story } = failed;
  console.log(`\nSeed ${seed} fails. Looking for the shortest story ...`);
  const shortest = await run.shrink(failed, shrinkSeconds);
  const { transcript } = await run.tell(shortest.story);
  console.log(`${story.steps.length} steps became ${shortest.story.steps.length} in ${shortest.tries} tries:\n`);
  console.log(JSON.stringify(shortest.story.climate));
  console.log(transcript.join('\n'));
  console.log(`\n${shortest.failure.stack ?? shortest.failure.message}`);
  console.log(`\nTell it again: npm run simulate -- --seed ${seed}\n`);
}

async function tellTranscript(run: Run, seed: number): Promise<void> {
  const { transcript } = await run.tell(drawStory(seed));
  console.log(transcript.join('\n'));
}

await runMain(main, USAGE);
