import { MultiBar, Presets, type SingleBar } from 'cli-progress';
import type { Picture } from './watch.ts';

const BAR_FORMAT = '{title} [{bar}] {value}/{total} {note}';
/** Elsewhere than on a terminal a line is written this often. */
const LINE_EVERY_MS = 2000;

/** Shows how the story goes: bars that move on a terminal, plain lines elsewhere. */
export interface Screen {
  begin(steps: number): void;
  show(stepsDone: number, picture: Picture): void;
  /** Something has happened that everybody should see. */
  tell(text: string): void;
  end(): void;
}

export function screenFor(stream: NodeJS.WriteStream): Screen {
  return stream.isTTY ? new BarScreen(stream) : new LineScreen((line) => stream.write(`${line}\n`));
}

/** One bar for the story, one line for each store, one for the centre. */
class BarScreen implements Screen {
  private bars: MultiBar | undefined;
  private story: SingleBar | undefined;
  private readonly rows = new Map<string, SingleBar>();

  constructor(private readonly stream: NodeJS.WriteStream) {}

  begin(steps: number): void {
    const options = { stream: this.stream, format: BAR_FORMAT, hideCursor: true, noTTYOutput: false };
    this.bars = new MultiBar({ ...options, clearOnComplete: false }, Presets.shades_classic);
    this.story = this.bars.create(steps, 0, { title: 'story   ', note: '' });
  }

  show(stepsDone: number, picture: Picture): void {
    this.story?.update(stepsDone, { title: 'story   ', note: '' });
    for (const store of picture.stores) {
      this.row(store.locationId).update(0, { text: storeText(store) });
    }
    this.row('centre').update(0, { text: centreText(picture) });
  }

  tell(text: string): void {
    this.bars?.log(`  * ${text}\n`);
  }

  end(): void {
    this.bars?.stop();
  }

  private row(name: string): SingleBar {
    const found = this.rows.get(name);
    if (found !== undefined) return found;
    if (this.bars === undefined) throw new Error('The screen has not begun');
    const row = this.bars.create(1, 0, { text: '' }, { format: `${name.padEnd(8)} {text}` });
    this.rows.set(name, row);
    return row;
  }
}

export class LineScreen implements Screen {
  private steps = 0;
  private shownAt = -Infinity;

  constructor(private readonly write: (line: string) => void) {}

  begin(steps: number): void {
    this.steps = steps;
  }

  show(stepsDone: number, picture: Picture): void {
    if (performance.now() - this.shownAt < LINE_EVERY_MS) return;
    this.shownAt = performance.now();
    const stores = picture.stores.map((store) => `${store.locationId} ${storeText(store)}`);
    this.write([`${stepsDone}/${this.steps}`, ...stores, centreText(picture)].join(' | '));
  }

  tell(text: string): void {
    this.write(`* ${text}`);
  }

  end(): void {
    this.shownAt = -Infinity;
  }
}

function storeText({ state, pendingEvents, lagSeconds }: Picture['stores'][number]): string {
  return `${state.toLowerCase()}, ${pendingEvents} to tell, ${lagSeconds.toFixed(1)} s behind`;
}

function centreText({ oversold, drift }: Picture): string {
  return oversold === null ? 'the centre is away' : `${oversold} oversold, drift ${drift ?? 0} units`;
}
