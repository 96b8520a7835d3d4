import type { DomainEvent } from './domain-event.ts';

/**
 * Base of every aggregate: an immutable state that verbs replace, and the events they record.
 *
 * `version` rises by one with every change, so two changes in one batch are two versions although the row is
 * written once. State is replaced, never mutated in place: the unit of work undoes a refused work by putting the
 * old reference back.
 */
export abstract class Aggregate<State extends { readonly version: number }> {
  private current: State;
  private events: DomainEvent[] = [];

  protected constructor(state: State) {
    this.current = state;
  }

  /** What a repository stores. */
  get state(): State {
    return this.current;
  }

  get version(): number {
    return this.current.version;
  }

  /** Events since the aggregate was loaded, oldest first. */
  get recordedEvents(): readonly DomainEvent[] {
    return this.events;
  }

  /** Hands the recorded events over; a second call gives none. */
  takeEvents(): DomainEvent[] {
    const events = this.events;
    this.events = [];
    return events;
  }

  /** Replaces the state and counts one change. Call it after every check has passed. */
  protected change(next: Partial<Omit<State, 'version'>>): void {
    this.current = { ...this.current, ...next, version: this.current.version + 1 };
  }

  /** Replaces what nobody outside can see (a hint, a lower bound): no change, so no version and no event. */
  protected amend(next: Partial<Omit<State, 'version'>>): void {
    this.current = { ...this.current, ...next };
  }

  /** Records a fact about the change just made. */
  protected record(event: DomainEvent): void {
    this.events.push(event);
  }
}
