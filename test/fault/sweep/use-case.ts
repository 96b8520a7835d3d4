import { type Api, type Answer, freshKey, type SendOptions } from '../../support/http.ts';
import { Shop } from '../../support/shop.ts';
import type { GuardedApp } from '../../support/guarded-app.ts';

/** Sends the one request of a use case, or does its job, in the very same way each time. A job has no answer. */
export type Send = () => Promise<Answer | null>;

export interface UseCase {
  /** Makes all that it needs anew, so that each run of the sweep has its own. */
  readonly prepare: (shop: SweptShop) => Promise<Send>;
  /** What a repeat is answered with once it was done, where that is no success. */
  readonly doneStatus?: number;
  /** Tables to which each repeat adds a row, because nothing names the request. */
  readonly addsTo?: readonly string[];
  /** It deletes what the rules compare, piece by piece. */
  readonly purges?: boolean;
  /** What the program itself gets wrong becomes a dead letter, which an operator replays. */
  readonly mayDie?: boolean;
}

/** By operation of the OpenAPI document, or `job: ...`; behind a comma, which case of it. */
export type UseCases = Readonly<Record<string, UseCase>>;

/** A shop whose operator has shown a key. */
export class SweptShop extends Shop {
  constructor(readonly guarded: GuardedApp) {
    super();
    this.open({ ...guarded.running, api: guarded.admin });
  }
}

/** A request under a key of its own, sent as often as one likes. */
export function sending(
  api: Api,
  method: 'POST' | 'PUT' | 'DELETE',
  path: string,
  body?: unknown,
  options: SendOptions = {},
): Send {
  const key = options.key === undefined ? freshKey() : options.key;
  return () => api.send(method, path, body, { ...options, key });
}
