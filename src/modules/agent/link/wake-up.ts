import { Injectable } from '@nestjs/common';
import { assertNotEnded } from './interrupted.ts';

/** Tells the one who sends that there is something to send. A call while nobody waits is remembered. */
@Injectable()
export class WakeUp {
  private called = false;
  private waiting: (() => void) | undefined;

  wake(): void {
    this.called = true;
    this.waiting?.();
  }

  /**
   * Waits until somebody calls, or has called since the last time.
   * @throws Interrupted when `end` is given
   */
  async wait(end: AbortSignal): Promise<void> {
    if (!this.called && !end.aborted) {
      await new Promise<void>((resolve) => {
        this.waiting = resolve;
        end.addEventListener('abort', () => resolve(), { once: true });
      });
      this.waiting = undefined;
    }
    assertNotEnded(end);
    this.called = false;
  }
}
