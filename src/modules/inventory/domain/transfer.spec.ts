import { aTransfer, BUILT_AT } from '../../../../test/support/builders.ts';
import { DomainError } from '../../../shared/kernel/domain-error.ts';
import { MoreThanDispatched, TransferNotFound, TransferNotInTransit } from './transfer.errors.ts';
import { Transfer } from './transfer.ts';

const AT = BUILT_AT + 60_000;
const UNITS = { transferId: 'T-1', sku: 'SKU-1', fromLocationId: 'W1', toLocationId: 'S1', quantity: 4 };

/** The refusal of `work`, after a check that it has left nothing behind. */
function refusalOf(transfer: Transfer, work: () => void): DomainError {
  const before = transfer.state;
  let refusal: unknown;
  try {
    work();
  } catch (error) {
    refusal = error;
  }
  expect(transfer.state).toBe(before);
  expect(transfer.recordedEvents).toEqual([]);
  if (!(refusal instanceof DomainError)) throw new Error('It was not refused');
  return refusal;
}

describe('Transfer.dispatch', () => {
  it('is in transit, with nobody having counted what arrived', () => {
    const wanted = { id: 'T-1', sku: 'SKU-1', fromLocationId: 'W1', toLocationId: 'S1', quantity: 4 };
    const transfer = Transfer.dispatch(wanted, AT);
    expect(transfer.state).toEqual({
      ...wanted,
      received: null,
      status: 'IN_TRANSIT',
      reason: null,
      createdAt: AT,
      updatedAt: AT,
      version: 1,
    });
    expect(transfer.recordedEvents).toEqual([
      {
        type: 'inventory.transfer.dispatched',
        version: 1,
        subject: 'transfer/T-1',
        subjectVersion: 1,
        locationId: 'S1',
        data: UNITS,
        occurredAt: AT,
      },
    ]);
  });

  it('treats a way to itself as a bug: the edge refuses it', () => {
    const wanted = { id: 'T-1', sku: 'SKU-1', fromLocationId: 'W1', toLocationId: 'W1', quantity: 4 };
    expect(() => Transfer.dispatch(wanted, AT)).toThrow('Bug');
  });
});

describe('Transfer.receive', () => {
  it.each([4, 3, 0])('records that %i of 4 arrived', (received) => {
    const transfer = aTransfer();
    expect(transfer.receive(received, 'as found', AT)).toBe('changed');
    expect(transfer.state).toMatchObject({
      status: 'RECEIVED',
      received,
      reason: 'as found',
      updatedAt: AT,
      version: 2,
    });
    expect(transfer.recordedEvents).toMatchObject([
      { type: 'inventory.transfer.received', subjectVersion: 2, data: { ...UNITS, received, reason: 'as found' } },
    ]);
  });

  it('takes all for what was not said, and refuses more than were dispatched as what cannot be', () => {
    const transfer = aTransfer();
    expect([transfer.arrivalOf(null), transfer.arrivalOf(4), transfer.arrivalOf(0)]).toEqual([4, 4, 0]);
    const refusal = refusalOf(transfer, () => transfer.arrivalOf(5));
    expect(refusal).toBeInstanceOf(MoreThanDispatched);
    expect(refusal.details).toMatchObject({ errors: [{ field: 'quantity' }] });
  });

  it('changes nothing when the same is said again, and keeps the first reason', () => {
    const transfer = aTransfer({ status: 'RECEIVED', received: 3 });
    const before = transfer.state;
    expect(transfer.receive(3, 'said later', AT)).toBe('same');
    expect(transfer.state).toBe(before);
    expect(transfer.recordedEvents).toEqual([]);
  });

  it('refuses another count, and any after it was cancelled', () => {
    const received = aTransfer({ status: 'RECEIVED', received: 3 });
    const refusal = refusalOf(received, () => received.receive(4, null, AT));
    expect(refusal).toMatchObject({ code: 'TRANSFER_NOT_IN_TRANSIT', kind: 'refused' });
    expect(refusal.details).toEqual({ transferStatus: 'RECEIVED', received: 3 });
    const cancelled = aTransfer({ status: 'CANCELLED' });
    expect(refusalOf(cancelled, () => cancelled.receive(4, null, AT)).details).toEqual({
      transferStatus: 'CANCELLED',
      received: null,
    });
  });
});

describe('Transfer.cancel', () => {
  it('ends it, with nothing received', () => {
    const transfer = aTransfer();
    expect(transfer.cancel('no van', AT)).toBe('changed');
    expect(transfer.state).toMatchObject({ status: 'CANCELLED', received: null, reason: 'no van', version: 2 });
    expect(transfer.recordedEvents).toMatchObject([
      { type: 'inventory.transfer.cancelled', subjectVersion: 2, data: { ...UNITS, reason: 'no van' } },
    ]);
  });

  it('changes nothing a second time', () => {
    const transfer = aTransfer({ status: 'CANCELLED' });
    const before = transfer.state;
    expect(transfer.cancel('said later', AT)).toBe('same');
    expect(transfer.state).toBe(before);
  });

  it.each([4, 0])('is refused once it was received, also with %i units', (received) => {
    const transfer = aTransfer({ status: 'RECEIVED', received });
    expect(refusalOf(transfer, () => transfer.cancel(null, AT))).toBeInstanceOf(TransferNotInTransit);
  });
});

describe('The refusals of a transfer', () => {
  it.each([
    [new TransferNotFound('T-1'), 'NOT_FOUND', 'missing'],
    [new TransferNotInTransit('RECEIVED', 2), 'TRANSFER_NOT_IN_TRANSIT', 'refused'],
    [new MoreThanDispatched(4), 'VALIDATION_FAILED', 'invalid'],
  ])('%s: code, kind, and no detail named like a member of the problem document', (refusal, code, kind) => {
    expect(refusal).toMatchObject({ code, kind });
    const members = ['type', 'title', 'status', 'detail', 'instance', 'code', 'correlationId'];
    expect(Object.keys(refusal.details).filter((name) => members.includes(name))).toEqual([]);
  });
});
