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
      await this.callOr(end);
    }
    assertNotEnded(end);
    this.called = false;
  }

  private callOr(end: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        // The signal lives for weeks, and this is waited for at every sale.
        end.removeEventListener('abort', wake);
        this.waiting = undefined;
        resolve();
      };
      this.waiting = wake;
      end.addEventListener('abort', wake);
    });
  }
}
