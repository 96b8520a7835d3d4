import { Injectable, type OnModuleInit } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';

/** The metadata in which @nestjs/cqrs keeps what a handler handles; it does not export the names. */
const HANDLER_METADATA = ['__commandHandler__', '__queryHandler__'] as const;

/** A handler's class and what it handles. */
type Claim = readonly [handler: string, handled: { readonly name: string }];

/**
 * Stops the start when two handlers claim one command or query. @nestjs/cqrs only warns, and the later one wins, so which
 * one runs would depend on the order of imports.
 */
@Injectable()
export class DuplicateHandlerCheck implements OnModuleInit {
  constructor(private readonly discovery: DiscoveryService) {}

  onModuleInit(): void {
    const claimants = new Map<object, string>();
    for (const [handler, handled] of this.claims()) {
      const other = claimants.get(handled);
      if (other !== undefined) {
        throw new Error(`${other} and ${handler} both handle ${handled.name}; exactly one has to`);
      }
      claimants.set(handled, handler);
    }
  }

  private claims(): Claim[] {
    return this.discovery.getProviders().flatMap(({ metatype }) => {
      if (typeof metatype !== 'function') return [];
      return HANDLER_METADATA.flatMap((key): Claim[] => {
        const handled = Reflect.getMetadata(key, metatype) as { readonly name: string } | undefined;
        return handled === undefined ? [] : [[metatype.name, handled]];
      });
    });
  }
}
