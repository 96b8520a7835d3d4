import { type Climate, type Step, type Story } from './story/story.ts';

/** Tells a story. @returns what broke, or null */
export type TellAgain = (story: Story) => Promise<Error | null>;

export interface Shortest {
  readonly story: Story;
  readonly failure: Error;
  readonly tries: number;
}

/**
 * Takes out of a story that fails whatever it fails without: steps, what is done in a step, and kinds of trouble. Any
 * failure counts, because one mistake often shows in several ways.
 * @param secondsMax after which the shortest so far is good enough
 */
export async function shrink(story: Story, failure: Error, again: TellAgain, secondsMax: number): Promise<Shortest> {
  const endMs = performance.now() + secondsMax * 1000;
  let shortest: Shortest = { story, failure, tries: 0 };
  const keepIfFails = async (shorter: Story): Promise<boolean> => {
    const failed = await again(shorter);
    shortest = { ...shortest, tries: shortest.tries + 1 };
    if (failed !== null) shortest = { ...shortest, story: shorter, failure: failed };
    return failed !== null;
  };
  for (let gained = true; gained && performance.now() < endMs;) {
    const before = sizeOf(shortest.story);
    for (
      let size = Math.ceil(shortest.story.steps.length / 2);
      size >= 1;
      size = size === 1 ? 0 : Math.ceil(size / 2)
    ) {
      // From the end: what comes last is seldom what it takes.
      for (let from = shortest.story.steps.length - size; from > -size; from -= size) {
        if (performance.now() > endMs) return shortest;
        const { steps } = shortest.story;
        const left = steps.filter((_, index) => index < from || index >= from + size);
        if (left.length < steps.length) await keepIfFails({ ...shortest.story, steps: left });
      }
    }
    for (const shorter of withFewerDeeds(shortest.story)) {
      if (performance.now() > endMs) return shortest;
      // The places of deeds have moved once one was taken out.
      if (await keepIfFails(shorter)) break;
    }
    for (const calmer of calmerClimates(shortest.story.climate)) {
      if (performance.now() > endMs) return shortest;
      await keepIfFails({ ...shortest.story, climate: calmer });
    }
    gained = sizeOf(shortest.story) < before;
  }
  return shortest;
}

function* withFewerDeeds(story: Story): Generator<Story> {
  for (const [place, step] of story.steps.entries()) {
    if (step.step !== 'together' || step.deeds.length < 2) continue;
    for (const deed of step.deeds) {
      const fewer: Step = { ...step, deeds: step.deeds.filter((other) => other !== deed) };
      yield { ...story, steps: story.steps.with(place, fewer) };
    }
  }
}

function* calmerClimates(climate: Climate): Generator<Climate> {
  if (climate.servers > 1) yield { ...climate, servers: 1 };
  if (climate.isolation !== 'serial') yield { ...climate, isolation: 'serial' };
  for (const part of ['faults', 'network', 'handlers'] as const) {
    for (const [name, share] of Object.entries(climate[part])) {
      if (share > 0) yield { ...climate, [part]: { ...climate[part], [name]: 0 } };
    }
  }
}

function sizeOf({ steps, climate }: Story): number {
  const deeds = steps.reduce((sum, step) => sum + 1 + (step.step === 'together' ? step.deeds.length : 0), 0);
  const shares = [climate.faults, climate.network, climate.handlers].flatMap((part) => Object.values<number>(part));
  return (
    deeds + shares.filter((share) => share > 0).length + climate.servers + (climate.isolation === 'serial' ? 0 : 1)
  );
}
