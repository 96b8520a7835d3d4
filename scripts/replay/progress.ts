import { Presets, SingleBar } from 'cli-progress';

/** Tells a person how far a phase has come. */
export interface Progress {
  start(title: string, total: number): void;
  step(): void;
  stop(): void;
}

/** A bar on a terminal, one line a phase elsewhere (a log keeps no bar). */
export function barProgress(stream: NodeJS.WriteStream): Progress {
  const format = '{title} [{bar}] {value}/{total}  {duration_formatted}';
  let bar: SingleBar | null = null;
  return {
    start(title, total) {
      if (stream.isTTY) {
        bar = new SingleBar({ stream, format, hideCursor: true }, Presets.shades_classic);
        bar.start(total, 0, { title: title.padEnd(13) });
      } else {
        stream.write(`${title}: ${total}\n`);
      }
    },
    step() {
      bar?.increment();
    },
    stop() {
      bar?.stop();
      bar = null;
    },
  };
}

/** For tests. */
export const silentProgress: Progress = { start: () => undefined, step: () => undefined, stop: () => undefined };
