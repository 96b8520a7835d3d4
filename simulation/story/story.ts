import type { Drawn, Sending } from '../model/asks.ts';
import type { Isolation } from '../model/observed.ts';
import type { FaultShares } from '../world/faults.ts';

/** What the network does to a message, by its name in the report. */
export const MESSAGE_FATES = ['arrives', 'request lost', 'reply lost', 'twice', 'late'] as const;
export type MessageFate = (typeof MESSAGE_FATES)[number];

export const ORDER_EVENT_TYPES = ['order.created', 'order.paid', 'order.shipped', 'order.cancelled'] as const;

/** What somebody does, each with a seed of its own for what it meets on its way. */
export type Deed = { readonly seed: number } & (
  | { readonly deed: 'ask'; readonly sending: Sending }
  /** A client that has no answer yet asks again under the same key. */
  | { readonly deed: 'ask again'; readonly which: Drawn }
  | { readonly deed: 'sweep' }
  | { readonly deed: 'store records'; readonly store: Drawn; readonly what: Recorded }
  /** `disorder`: a part of it first, the rest later; `contradiction`: an event that is not what it was. */
  | {
      readonly deed: 'store pushes';
      readonly store: Drawn;
      readonly how: 'in order' | 'disorder' | 'all of it' | 'contradiction' | 'as an older agent';
    }
  | { readonly deed: 'store follows the centre'; readonly store: Drawn }
  | { readonly deed: 'store begins a new epoch'; readonly store: Drawn }
  | { readonly deed: 'shop tells of an order'; readonly order: Drawn; readonly events: readonly Drawn[] }
  | { readonly deed: 'operator closes a letter'; readonly letter: Drawn; readonly how: 'replay' | 'discard' }
  | { readonly deed: 'read'; readonly what: Drawn }
);

/** What happens at a till or at a shelf. */
export type Recorded =
  | { readonly type: 'sale' | 'return' | 'receipt' | 'write-off'; readonly sku: string; readonly quantity: number }
  | { readonly type: 'adjustment'; readonly sku: string; readonly quantity: number }
  | { readonly type: 'count'; readonly sku: string; readonly counted: number }
  | { readonly type: 'pickup'; readonly reservation: Drawn }
  | { readonly type: 'nonsense' };

export type Step = { readonly seed: number } & (
  | { readonly step: 'together'; readonly deeds: readonly Deed[]; readonly isCalm: boolean }
  | { readonly step: 'wait'; readonly seconds: number }
  /** To the very end of something that ends, or one millisecond before or after it. */
  | { readonly step: 'wait until'; readonly end: Drawn; readonly offsetMs: number }
  | { readonly step: 'clock goes back'; readonly seconds: number }
);

/** How often what goes wrong in a story, and how its servers are set. */
export interface Climate {
  readonly isolation: Isolation;
  readonly servers: number;
  readonly slownessMs: number;
  readonly faults: FaultShares;
  /** Shares of messages, from 0 to 1; the rest arrives. */
  readonly network: Readonly<Record<Exclude<MessageFate, 'arrives'>, number>>;
  /** Shares of events that a handler fails on for a while, for ever, or is too busy for. */
  readonly handlers: Readonly<Record<'fails' | 'fails for ever' | 'is busy', number>>;
  readonly settings: Readonly<Record<string, string>>;
}

export interface Story {
  readonly seed: number;
  readonly climate: Climate;
  /** Units of every sku at every location, sku by sku. */
  readonly opening: readonly number[];
  readonly steps: readonly Step[];
}

/** What a story is measured in: each thing that somebody does. */
export function deedsOf({ steps }: Story): number {
  return steps.reduce((sum, step) => sum + (step.step === 'together' ? step.deeds.length : 1), 0);
}
