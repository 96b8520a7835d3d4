import { type QueuedWork, type WorkClass, WorkQueue } from './work-queue.ts';

const LIMITS = { worksMax: 100, batchWorksMax: 10, bulkSliceMs: 1 };

function work(workClass: WorkClass): QueuedWork {
  return {
    tenantId: 'a',
    workClass,
    keys: [],
    requestKey: null,
    takesLock: false,
    run: () => Promise.resolve(),
    resolve: () => undefined,
    reject: () => undefined,
    deadline: performance.now() + 60_000,
  };
}

describe('WorkQueue.take', () => {
  let queue: WorkQueue;

  beforeEach(() => {
    queue = new WorkQueue(LIMITS, () => undefined);
  });

  afterEach(() => {
    queue.close();
  });

  function take(): WorkClass[] {
    return queue.take().map(({ workClass }) => workClass);
  }

  it('lets bulk works share a larger batch while nobody else has come for a while', () => {
    for (let n = 0; n < 12; n += 1) queue.add(work('bulk'));
    expect(take()).toHaveLength(8);
    expect(take()).toHaveLength(4);
  });

  it('keeps them to their slice as soon as somebody waits, and for a while after', () => {
    for (let n = 0; n < 12; n += 1) queue.add(work('bulk'));
    queue.add(work('interactive'));
    expect(take()).toEqual(['interactive', 'bulk']);
    expect(take()).toEqual(['bulk']);
  });
});
