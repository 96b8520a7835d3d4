import type { LoggedEvent, Seen } from '../../simulation/model/explain.ts';
import type { FaultName } from './stories.ts';

/** Counts what the stories have met: a run that never got into the odd places would prove nothing. */
export class Visits {
  private readonly times = new Map<string, number>();

  note(seen: readonly Seen[], log: readonly LoggedEvent[], fault: FaultName): void {
    for (const { sent, outcome } of seen) {
      this.count('requests');
      this.count(`asked: ${sent.request.kind}`);
      if (outcome.kind === 'refusal') this.count(outcome.code);
      if (outcome.kind === 'refusal' && sent.request.kind === 'update') this.count(`update: ${outcome.code}`);
      if (outcome.kind === 'unavailable') this.count(`unavailable (${fault})`);
      if (outcome.kind === 'answer' && outcome.replayed) this.count('replayed');
    }
    if (seen.length > 1) this.count('batches of several');
    for (const { type, data, correlationId } of log) {
      this.count(type);
      const asker = seen.find(({ sent }) => sent.correlationId === correlationId)?.sent.request.kind;
      const dueForOthers = type === 'inventory.stock.released' && data['cause'] === 'EXPIRED' && asker !== 'sweep';
      if (dueForOthers) this.count(`${asker ?? 'nobody'} takes due units`);
    }
  }

  of(name: string): number {
    return this.times.get(name) ?? 0;
  }

  /** What is met besides requests and events. */
  count(name: string): void {
    this.times.set(name, this.of(name) + 1);
  }
}
