import fc from 'fast-check';
import { Value } from 'typebox/value';
import { BUILT_AT } from '../../../../test/support/builders.ts';
import { counts } from '../../../../test/support/counts.ts';
import { DomainError } from '../../../shared/kernel/domain-error.ts';
import { BALANCE_MAX, INVENTORY_EVENTS, RECORDABLE_MOVEMENTS, type Balances } from '../contract.ts';
import { type MovementEntry, StockItem } from './stock-item.ts';

/** The rules in their plainest form: balances as numbers, each step an answer. */
interface Model {
  onHand: number;
  held: number;
  committed: number;
  incoming: number;
  safetyStock: number;
  lowStockThreshold: number | null;
  /** Never after the end of a hold that is still there. */
  noHoldDueBefore: number | null;
}

type Answer = 'done' | 'nothing' | 'INSUFFICIENT_STOCK' | 'QUANTITY_LIMIT';

interface Step {
  readonly text: string;
  /** Facts are never refused but for the limit. */
  readonly fact: boolean;
  /** Changes the model and tells what the item has to answer. */
  expect(model: Model): Answer;
  run(item: StockItem): MovementEntry | MovementEntry[] | void;
  /** Changes, each with a version of its own; 1 unless it says otherwise. */
  changes?(before: Model): number;
}

const AT = BUILT_AT;

function available({ onHand, held, committed, safetyStock }: Model): number {
  return onHand - held - committed - safetyStock;
}

function moveStep(type: (typeof RECORDABLE_MOVEMENTS)[number], size: number, negative: boolean): Step {
  const takes = type === 'SALE' || type === 'WRITE_OFF' || (type === 'ADJUSTMENT' && negative);
  const units = type === 'ADJUSTMENT' && negative ? -size : size;
  return {
    text: `${type} ${units}`,
    fact: !takes,
    expect: (model) => {
      if (takes && size > available(model)) return 'INSUFFICIENT_STOCK';
      const onHand = model.onHand + (takes ? -size : size);
      if (onHand > BALANCE_MAX) return 'QUANTITY_LIMIT';
      model.onHand = onHand;
      return 'done';
    },
    run: (item) => item.move({ movementId: 'M', type, units, reason: null, reference: null }, AT),
  };
}

function countStep(counted: number): Step {
  return {
    text: `count ${counted}`,
    fact: true,
    expect: (model) => {
      model.onHand = counted;
      return 'done';
    },
    run: (item) => item.count(counted, { movementId: 'M', reason: null }, AT),
  };
}

function holdStep(units: number, seconds: number): Step {
  const expiresAt = AT + seconds * 1000;
  return {
    text: `hold ${units} for ${seconds} s`,
    fact: false,
    expect: (model) => {
      if (units > available(model)) return 'INSUFFICIENT_STOCK';
      model.held += units;
      model.noHoldDueBefore = Math.min(model.noHoldDueBefore ?? Infinity, expiresAt);
      return 'done';
    },
    run: (item) => item.hold(units, 'H', expiresAt, AT),
  };
}

function earlierStep(seconds: number): Step {
  const expiresAt = AT + seconds * 1000;
  return {
    text: `a hold ends after ${seconds} s`,
    fact: false,
    expect: (model) => {
      if (model.held === 0) return 'nothing';
      model.noHoldDueBefore = Math.min(model.noHoldDueBefore ?? Infinity, expiresAt);
      return 'done';
    },
    run: (item) => {
      if (item.state.held > 0) item.shortenHold(1, 'H', expiresAt, AT);
    },
  };
}

/** Gives back, commits or fulfils a share of what is there: more would be a bug of the caller. */
function shareStep(verb: 'release held' | 'release committed' | 'commit' | 'fulfil', percent: number): Step {
  const from = verb === 'release held' || verb === 'commit' ? 'held' : 'committed';
  const share = (balances: Pick<Model, 'held' | 'committed'>): number => Math.ceil((balances[from] * percent) / 100);
  return {
    text: `${verb} ${percent} %`,
    fact: false,
    expect: (model) => {
      const units = share(model);
      if (units === 0) return 'nothing';
      if (verb === 'fulfil' && model.onHand < units) return 'INSUFFICIENT_STOCK';
      model[from] -= units;
      if (verb === 'commit') model.committed += units;
      if (verb === 'fulfil') model.onHand -= units;
      if (model.held === 0) model.noHoldDueBefore = null;
      return 'done';
    },
    run: (item) => {
      const units = share(item.state);
      if (units === 0) return;
      if (verb === 'commit') return item.commit(units, 'H', AT);
      if (verb === 'fulfil') return item.fulfil(units, 'H', { movementId: 'M', reference: null }, AT);
      item.release(units, from === 'held' ? 'HELD' : 'COMMITTED', 'H', 'CHANGED', AT);
    },
  };
}

function dispatchStep(units: number): Step {
  return {
    text: `dispatch ${units}`,
    fact: false,
    expect: (model) => {
      if (units > available(model)) return 'INSUFFICIENT_STOCK';
      model.onHand -= units;
      return 'done';
    },
    run: (item) => item.dispatch(units, { movementId: 'M', transferId: 'T' }, AT),
  };
}

function expectStep(units: number): Step {
  return {
    text: `${units} are on their way`,
    fact: true,
    expect: (model) => {
      if (model.incoming + units > BALANCE_MAX) return 'QUANTITY_LIMIT';
      model.incoming += units;
      return 'done';
    },
    run: (item) => {
      item.expect(units, 'T', AT);
    },
  };
}

/** Receives a share of what is on its way, and a share of that whole. */
function receiveStep(percent: number, wholePercent: number): Step {
  const share = ({ incoming }: Pick<Model, 'incoming'>): [units: number, whole: number] => {
    const units = Math.ceil((incoming * percent) / 100);
    return [units, Math.floor((units * wholePercent) / 100)];
  };
  return {
    text: `receive ${percent} %, ${wholePercent} % of it whole`,
    fact: true,
    expect: (model) => {
      const [units, whole] = share(model);
      if (units === 0) return 'nothing';
      if (model.onHand + units > BALANCE_MAX) return 'QUANTITY_LIMIT';
      model.incoming -= units;
      model.onHand += whole;
      return 'done';
    },
    run: (item) => {
      const [units, whole] = share(item.state);
      if (units === 0) return;
      return item.receive(units, whole, { movementId: 'M', lossId: 'N', transferId: 'T', reason: null }, AT);
    },
    changes: (before) => {
      const [units, whole] = share(before);
      return whole < units ? 2 : 1;
    },
  };
}

function returnStep(verb: 'take back' | 'expect no more', units: number): Step {
  return {
    text: `${verb} ${units}`,
    fact: true,
    expect: (model) => {
      if (verb === 'expect no more') {
        if (model.incoming < units) return 'nothing';
        model.incoming -= units;
        return 'done';
      }
      if (model.onHand + units > BALANCE_MAX) return 'QUANTITY_LIMIT';
      model.onHand += units;
      return 'done';
    },
    run: (item) => {
      if (verb === 'take back') return item.takeBack(units, { movementId: 'M', transferId: 'T', reason: null }, AT);
      if (item.state.incoming >= units) item.expectNoMore(units, 'T', AT);
    },
  };
}

function policyStep(property: 'safetyStock' | 'lowStockThreshold', value: number | null): Step {
  return {
    text: `${property} ${value}`,
    fact: true,
    expect: (model) => {
      if (model[property] === value) return 'nothing';
      Object.assign(model, { [property]: value });
      return 'done';
    },
    run: (item) => (property === 'safetyStock' ? item.setPolicy(value ?? 0, AT) : item.followThreshold(value, AT)),
  };
}

const small = fc.integer({ min: 1, max: 12 });
const percent = fc.integer({ min: 1, max: 100 });
const shareVerbs = fc.constantFrom(
  'release held',
  'release committed',
  'commit',
  'commit',
  'fulfil',
  'fulfil' as const,
);
const steps: fc.Arbitrary<Step> = fc
  .oneof(
    {
      weight: 4,
      arbitrary: fc.tuple(fc.constantFrom(...RECORDABLE_MOVEMENTS), small, fc.boolean()).map((a) => moveStep(...a)),
    },
    { weight: 1, arbitrary: fc.constant(moveStep('RECEIPT', BALANCE_MAX - 20, false)) },
    { weight: 2, arbitrary: fc.integer({ min: 0, max: 15 }).map(countStep) },
    { weight: 4, arbitrary: fc.tuple(small, small).map((a) => holdStep(...a)) },
    { weight: 1, arbitrary: small.map(earlierStep) },
    { weight: 6, arbitrary: fc.tuple(shareVerbs, percent).map((a) => shareStep(...a)) },
    { weight: 2, arbitrary: small.map(dispatchStep) },
    { weight: 2, arbitrary: fc.oneof({ weight: 9, arbitrary: small }, fc.constant(BALANCE_MAX - 9)).map(expectStep) },
    { weight: 3, arbitrary: fc.tuple(percent, fc.constantFrom(100, 100, 50, 0)).map((a) => receiveStep(...a)) },
    {
      weight: 1,
      arbitrary: fc
        .tuple(fc.constantFrom('take back' as const, 'expect no more' as const), small)
        .map((a) => returnStep(...a)),
    },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 6 }).map((value) => policyStep('safetyStock', value)) },
    {
      weight: 1,
      arbitrary: fc.option(fc.integer({ min: 0, max: 6 })).map((value) => policyStep('lowStockThreshold', value)),
    },
  )
  // So that a counterexample reads as a story.
  .map((step) => Object.assign(step, { [fc.toStringMethod]: () => step.text }));

/** Plain comparisons: Jest's `expect` takes most of the time when it is called a million times. */
function check(holds: boolean, rule: string): void {
  if (!holds) throw new Error(`Broken: ${rule}`);
}

function answerOf(item: StockItem, step: Step, ledger: MovementEntry[]): Answer {
  const before = item.state;
  try {
    const entry = step.run(item);
    if (entry !== undefined) ledger.push(...[entry].flat());
    return item.state === before ? 'nothing' : 'done';
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    check(item.state === before && item.recordedEvents.length === 0, 'a refusal leaves nothing');
    check(!step.fact || error.code === 'QUANTITY_LIMIT', 'facts are not refused');
    return error.code as Answer;
  }
}

/** What the events of one step have to say about the changes from `before`; only the last of them leads to `after`. */
function checkEvents(item: StockItem, before: Model, after: Model, changes: number): void {
  const events = item.takeEvents();
  const earlier = events.splice(0, changes - 1);
  check(
    earlier.every(({ subjectVersion }) => subjectVersion < item.version),
    'a version per change',
  );
  for (const { type, subject, subjectVersion, occurredAt, data } of events) {
    const definition = INVENTORY_EVENTS.find((known) => known.type === type);
    check(definition !== undefined && Value.Check(definition.payload, data), `${type} matches its schema`);
    check(subject === 'stock/A/S1' && subjectVersion === item.version && occurredAt === AT, 'events name their change');
    const { onHand, held, committed, incoming, safetyStock, available: free } = (data as { stock: Balances }).stock;
    const same = onHand === after.onHand && held === after.held && committed === after.committed;
    check(incoming === after.incoming, 'events tell what is on its way');
    check(same && safetyStock === after.safetyStock && free === available(after), 'events replay to the balances');
  }
  const promisedTooMuch = (model: Model): number => Math.max(0, model.held + model.committed - model.onHand);
  const isLow = (model: Model): boolean =>
    model.lowStockThreshold !== null && available(model) <= model.lowStockThreshold;
  const alarms = events.slice(1).map(({ type }) => type.replace('inventory.stock.', ''));
  const wanted = [
    ...(promisedTooMuch(after) > promisedTooMuch(before) ? ['oversold'] : []),
    ...(isLow(after) && !isLow(before) ? ['low'] : []),
  ];
  check(alarms.join() === wanted.join(), `alarms are ${wanted.join()}, but were ${alarms.join()}`);
}

describe('StockItem, whatever happens to it', () => {
  it('answers like the model, keeps its ledger, and never lets a command take more than is available', () => {
    const visited = { oversold: 0, limit: 0, refused: 0, fulfilled: 0, dispatched: 0, short: 0 };
    fc.assert(
      fc.property(fc.array(steps, { minLength: 1, maxLength: 40, size: 'max' }), (story) => {
        const item = StockItem.unstocked('A', 'S1', null, undefined);
        const none = { lowStockThreshold: null, noHoldDueBefore: null };
        const model: Model = { onHand: 0, held: 0, committed: 0, incoming: 0, safetyStock: 0, ...none };
        const ledger: MovementEntry[] = [];
        for (const step of story) {
          const before = { ...model };
          const { version } = item;
          const wanted = step.expect(model);
          const answer = answerOf(item, step, ledger);
          check(answer === wanted, `${step.text} has to answer ${wanted}, but did ${answer}`);
          const changes = answer === 'done' ? (step.changes?.(before) ?? 1) : 0;
          check(item.version === version + changes, 'a version per change');

          const { onHand, held, committed, incoming, safetyStock, lowStockThreshold, noHoldDueBefore } = item.state;
          const stored = { onHand, held, committed, incoming, safetyStock, lowStockThreshold, noHoldDueBefore };
          check(JSON.stringify(stored) === JSON.stringify(model), 'balances are those of the model');
          check(held >= 0 && committed >= 0 && incoming >= 0, 'held, committed and incoming are never negative');
          check(ledger.reduce((sum, { delta }) => sum + delta, 0) === onHand, 'the movements add up to on-hand');
          check((ledger.at(-1)?.onHandAfter ?? 0) === onHand, 'the last movement tells on-hand');
          check(step.fact || before.onHand - before.held - before.committed < 0 || !item.isOversold, 'rule 1');
          if (answer === 'done') checkEvents(item, before, model, changes);

          if (item.isOversold) visited.oversold += 1;
          if (answer === 'QUANTITY_LIMIT') visited.limit += 1;
          if (answer === 'INSUFFICIENT_STOCK') visited.refused += 1;
          if (ledger.at(-1)?.type === 'FULFILMENT') visited.fulfilled += 1;
          if (ledger.at(-1)?.type === 'TRANSFER_OUT') visited.dispatched += 1;
          if (changes === 2) visited.short += 1;
        }
      }),
      { numRuns: counts(1_000, 100_000) },
    );
    // A run that never got into the odd places would prove nothing.
    expect(Object.entries(visited).filter(([, times]) => times < 50)).toEqual([]);
  });
});
