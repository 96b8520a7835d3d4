import type { DiscoveryService } from '@nestjs/core';
import { Type } from 'typebox';
import { defineEvent } from '../kernel/domain-event.ts';
import type { UnitOfWork } from '../persistence/unit-of-work.ts';
import { Dispatch } from './dispatch.ts';
import { ReactsTo } from './reaction.ts';
import { Upcasting } from './upcasting.ts';

const Opened = defineEvent('test.door.opened', 1, Type.Object({}));
const OpenedBefore = defineEvent('test.door.opened', 0, Type.Object({}));

function dispatchOf(...reactions: readonly object[]): Dispatch {
  const providers = reactions.map((instance) => ({ metatype: instance.constructor, instance }));
  const discovery = { getProviders: () => [{ metatype: null, instance: {} }, ...providers] };
  const dispatch = new Dispatch(
    discovery as unknown as DiscoveryService,
    {} as UnitOfWork,
    new Upcasting([Opened], []),
  );
  dispatch.onModuleInit();
  return dispatch;
}

@ReactsTo({ consumer: 'test.ring', events: [Opened] })
class Ring {
  handle(): void {
    return undefined;
  }
}

@ReactsTo({ consumer: 'test.ring', events: [Opened] })
class RingAgain {
  handle(): void {
    return undefined;
  }
}

@ReactsTo({ consumer: 'Ring!', events: [Opened] })
class BadlyNamed extends Ring {}

@ReactsTo({ consumer: 'test.deaf', events: [] })
class Deaf extends Ring {}

@ReactsTo({ consumer: 'test.idle', events: [Opened] })
class Idle {}

@ReactsTo({ consumer: 'test.old', events: [OpenedBefore] })
class Outdated extends Ring {}

class NoReaction {}

describe('Dispatch', () => {
  it('finds the reactions among all providers', () => {
    const dispatch = dispatchOf(new Ring(), new NoReaction());
    expect(dispatch.consumers.map(({ consumer, types, startAt }) => ({ consumer, types, startAt }))).toEqual([
      { consumer: 'test.ring', types: ['test.door.opened'], startAt: 'oldest' },
    ]);
    expect(dispatch.consumerNamed('test.ring')).toBe(dispatch.consumers[0]);
    expect(dispatch.consumerNamed('test.knock')).toBeUndefined();
  });

  it.each([
    ['two are called the same', [new Ring(), new RingAgain()], 'Two reactions are called test.ring'],
    ['one has no proper name', [new BadlyNamed()], '"Ring!" is no name for a consumer'],
    ['one names no events', [new Deaf()], 'test.deaf has to name events'],
    ['one cannot handle anything', [new Idle()], 'test.idle has to name events and to have a method handle'],
    ['one was left behind by its event', [new Outdated()], 'test.old does not know the newest version'],
  ])('stops the start when %s', (_, reactions, message) => {
    expect(() => dispatchOf(...reactions)).toThrow(message);
  });
});
