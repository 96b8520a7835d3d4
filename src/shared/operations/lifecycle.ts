import { Injectable } from '@nestjs/common';

/** Where the process stands between its start and its end. */
@Injectable()
export class Lifecycle {
  private stopping = false;
  private readonly listeners = new Set<() => void>();

  /** True once the process was told to stop: it finishes what it has and wants no new work. */
  get draining(): boolean {
    return this.stopping;
  }

  /** From now on readiness says no, so that a load balancer turns away before the server closes. There is no way back. */
  startDraining(): void {
    if (this.stopping) return;
    this.stopping = true;
    for (const listener of this.listeners) listener();
  }

  /** For what waits and would go on waiting. @returns to be called when there is nothing to be told any more */
  onDraining(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => {
      this.listeners.delete(listener);
    };
  }
}
