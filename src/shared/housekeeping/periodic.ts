import { Logger } from '@nestjs/common';
import { type Pace, SystemPace } from '../kernel/pace.ts';

/**
 * Housekeeping that happens again and again, with a pause after each round, so that rounds never overlap. A round that
 * fails is logged, and the next one tries again.
 */
export class Periodic {
  private readonly logger: Logger;
  private stopTimer: () => void = () => undefined;
  private running: Promise<void> = Promise.resolve();
  private ended = false;

  /**
   * @param name whose lines these are in the log
   * @param pauseMs between two rounds, in milliseconds
   * @param round looks at `stopped` between its pieces
   */
  constructor(
    name: string,
    private readonly pauseMs: number,
    private readonly round: () => Promise<void>,
    private readonly pace: Pace = new SystemPace(),
  ) {
    this.logger = new Logger(name);
  }

  /** True once it was told to stop: a round begins nothing new then. */
  get stopped(): boolean {
    return this.ended;
  }

  start(): void {
    this.stopTimer = this.pace.after(this.pauseMs, () => {
      this.running = this.round()
        .catch((error: unknown) => {
          this.logger.warn({ err: error }, 'This round was not finished; the next one goes on');
        })
        .finally(() => {
          if (!this.ended) this.start();
        });
    });
  }

  /** No further round; resolves when the running one has ended. */
  async stop(): Promise<void> {
    this.ended = true;
    this.stopTimer();
    await this.running;
  }
}
