import { Coverage } from './coverage.ts';
import { drawStory } from './story/draw-story.ts';
import { deedsOf, type Story } from './story/story.ts';
import { tell, type Told } from './story/telling.ts';
import { type Shortest, shrink } from './shrink.ts';
import { DatabaseFolder } from './world/database.ts';
import { openTemplate } from './world/server.ts';

export interface Failed {
  readonly seed: number;
  readonly story: Story;
  readonly failure: Error;
}

export interface RunResult {
  readonly stories: number;
  readonly deeds: number;
  readonly seconds: number;
  readonly coverage: Coverage;
  readonly failed: readonly Failed[];
}

/** One of so many stories is told twice, to see that it is the same story. */
const STORIES_PER_RETELLING = 10;

/** Where stories are told, one after the other. */
export class Run {
  private constructor(private readonly folder: DatabaseFolder) {}

  static async open(): Promise<Run> {
    const folder = new DatabaseFolder();
    await openTemplate(folder.template);
    return new Run(folder);
  }

  close(): void {
    this.folder.remove();
  }

  tell(story: Story): Promise<Told> {
    return tell(story, this.folder);
  }

  /** @param told after each story, with how many there have been */
  async tellAll(seeds: Iterable<number>, told: (stories: number) => void = () => undefined): Promise<RunResult> {
    const coverage = new Coverage();
    const failed: Failed[] = [];
    const fromMs = performance.now();
    let stories = 0;
    let deeds = 0;
    for (const seed of seeds) {
      const story = drawStory(seed);
      const one = await this.tell(story);
      coverage.add(one.coverage);
      stories += 1;
      deeds += deedsOf(story);
      const failure = one.failure ?? (stories % STORIES_PER_RETELLING === 1 ? await this.retell(story, one) : null);
      if (failure !== null) failed.push({ seed, story, failure });
      told(stories);
    }
    return { stories, deeds, seconds: (performance.now() - fromMs) / 1000, coverage, failed };
  }

  shrink({ story, failure }: Failed, secondsMax: number): Promise<Shortest> {
    return shrink(story, failure, async (shorter) => (await this.tell(shorter)).failure, secondsMax);
  }

  /** @returns what is wrong when it is not the same story again */
  private async retell(story: Story, before: Told): Promise<Error | null> {
    const again = await this.tell(story);
    if (again.hash === before.hash) return null;
    const place = again.transcript.findIndex((line, index) => line !== before.transcript[index]);
    const differing = [before.transcript[place], again.transcript[place]].join('\n');
    return new Error(`The story was not the same when it was told again. At line ${place + 1} it said\n${differing}`);
  }
}
