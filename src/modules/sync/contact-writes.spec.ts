import { jest } from '@jest/globals';
import { ContactWrites } from './contact-writes.ts';

const PAUSE_MS = 1_000;

/** Writes that a test settles one by one. */
class Writes {
  readonly contacts: number[] = [];
  private readonly open: ((staleAfterMs: number | undefined) => void)[] = [];

  readonly write = (contactAt: number): Promise<number | undefined> => {
    this.contacts.push(contactAt);
    return new Promise((resolve) => this.open.push(resolve));
  };

  /** @param staleAfterMs undefined: it failed */
  async settle(staleAfterMs: number | undefined): Promise<void> {
    this.open.shift()?.(staleAfterMs);
    await jest.advanceTimersByTimeAsync(0);
  }
}

describe('ContactWrites', () => {
  let writes: Writes;
  let contacts: ContactWrites;

  beforeEach(() => {
    jest.useFakeTimers();
    writes = new Writes();
    contacts = new ContactWrites(writes.write, PAUSE_MS);
  });

  afterEach(() => {
    jest.useRealTimers();
  });

  it('writes the first contact at once, then only the latest when it is time again', async () => {
    contacts.note(1);
    expect(writes.contacts).toEqual([1]);
    await writes.settle(60_000);
    contacts.note(2);
    contacts.note(3);
    await jest.advanceTimersByTimeAsync(PAUSE_MS - 1);
    expect(writes.contacts).toEqual([1]);
    await jest.advanceTimersByTimeAsync(1);
    expect(writes.contacts).toEqual([1, 3]);
    await writes.settle(60_000);
    await jest.advanceTimersByTimeAsync(10 * PAUSE_MS);
    expect(writes.contacts).toEqual([1, 3]);
    contacts.note(4);
    expect(writes.contacts).toEqual([1, 3, 4]);
  });

  it('has one write on its way at a time', async () => {
    contacts.note(1);
    expect(contacts.pending).toBeDefined();
    await jest.advanceTimersByTimeAsync(5 * PAUSE_MS);
    contacts.note(2);
    expect(writes.contacts).toEqual([1]);
    await writes.settle(60_000);
    expect(writes.contacts).toEqual([1, 2]);
    await writes.settle(60_000);
    expect(contacts.pending).toBeUndefined();
  });

  it('writes sooner where the store would be stale by then', async () => {
    contacts.note(1);
    await writes.settle(1_000);
    contacts.note(2);
    await jest.advanceTimersByTimeAsync(249);
    expect(writes.contacts).toEqual([1]);
    await jest.advanceTimersByTimeAsync(1);
    expect(writes.contacts).toEqual([1, 2]);
  });

  it.each([PAUSE_MS, -PAUSE_MS])('writes at once when the clock has been set by %s ms meanwhile', async (ms) => {
    contacts.note(10_000);
    await writes.settle(60_000);
    contacts.note(10_001);
    contacts.note(10_000 + ms);
    expect(writes.contacts).toEqual([10_000, 10_000 + ms]);
    await writes.settle(60_000);
    await jest.advanceTimersByTimeAsync(10 * PAUSE_MS);
    expect(writes.contacts).toHaveLength(2);
  });

  it('makes up for a write that failed, with what was heard since', async () => {
    contacts.note(1);
    contacts.note(2);
    await writes.settle(undefined);
    await jest.advanceTimersByTimeAsync(PAUSE_MS - 1);
    expect(writes.contacts).toEqual([1]);
    await jest.advanceTimersByTimeAsync(1);
    expect(writes.contacts).toEqual([1, 2]);
    await writes.settle(undefined);
    await jest.advanceTimersByTimeAsync(PAUSE_MS);
    expect(writes.contacts).toEqual([1, 2, 2]);
  });

  it('writes what is noted when it is closed, and nothing any more after that', async () => {
    contacts.note(1);
    contacts.note(2);
    const closed = contacts.close();
    await writes.settle(60_000);
    expect(writes.contacts).toEqual([1, 2]);
    await writes.settle(60_000);
    await closed;
    contacts.note(3);
    await jest.advanceTimersByTimeAsync(10 * PAUSE_MS);
    expect(writes.contacts).toEqual([1, 2]);
  });
});
