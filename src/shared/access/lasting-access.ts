import { Injectable, Logger } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { ANONYMOUS } from '../http/caller.ts';
import { contextOf } from '../http/correlation-id.ts';
import { runInContext } from '../kernel/context.ts';
import { Gate } from './gate.ts';
import { principalOf } from './principal.ts';

/** Whoever asked for an answer without an end may lose the right to it meanwhile. */
@Injectable()
export class LastingAccess {
  private readonly logger = new Logger(LastingAccess.name);

  constructor(private readonly gate: Gate) {}

  /**
   * Asks again and again whether the caller of a request may still make it.
   * @param onLost called when they may not; while nobody can tell, because the database is away, they may
   * @returns what ends it
   */
  watch(request: FastifyRequest, everyMs: number, onLost: () => void): () => void {
    // Nobody was asked at all.
    if (principalOf(request) === null) return () => undefined;
    const timer = setInterval(() => {
      this.isLost(request).then(
        (isLost) => {
          if (isLost) onLost();
        },
        (error: unknown) => {
          this.logger.warn({ err: error }, 'Could not find out whether a stream may go on; it does');
        },
      );
    }, everyMs);
    timer.unref();
    return () => {
      clearInterval(timer);
    };
  }

  private async isLost(request: FastifyRequest): Promise<boolean> {
    return !(await runInContext(contextOf(request, ANONYMOUS), () => this.gate.stillAdmits(request)));
  }
}
