import { Injectable } from '@nestjs/common';

/** Where the process stands between its start and its end. */
@Injectable()
export class Lifecycle {
  private stopping = false;

  /** True once the process was told to stop: it finishes what it has and wants no new work. */
  get draining(): boolean {
    return this.stopping;
  }

  /** From now on readiness says no, so that a load balancer turns away before the server closes. There is no way back. */
  startDraining(): void {
    this.stopping = true;
  }
}
