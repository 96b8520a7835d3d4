import { Presets, SingleBar } from 'cli-progress';

export interface Meter {
  readonly show: (done: number, total: number) => void;
  readonly stop: () => void;
}

/** A bar on a terminal, silence elsewhere: a log wants the result only. */
export function meter(stream: NodeJS.WriteStream, unit: string): Meter {
  if (!stream.isTTY) return { show: () => undefined, stop: () => undefined };
  const format = `[{bar}] {value}/{total} ${unit}  {duration_formatted}`;
  const bar = new SingleBar({ stream, format, hideCursor: true }, Presets.shades_classic);
  bar.start(1, 0);
  return {
    show: (done, total) => {
      bar.setTotal(total);
      bar.update(done);
    },
    stop: () => {
      bar.stop();
    },
  };
}
