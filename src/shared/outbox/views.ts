import { applyDecorators, Injectable, type OnModuleInit, SetMetadata } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import type { RehearsedChange } from '../persistence/transaction.ts';

/** How an operator sees rows of a table, e.g. as the API shows them. A provider with `@ViewsRowsOf`. */
export interface RowView<Row extends object = object> {
  toView(row: Row): object;
}

interface ViewOptions {
  readonly table: string;
  /** What the rows are called, e.g. `stockItems`. */
  readonly name: string;
}

const VIEW = Symbol('view');

/** The owner of a table shows its rows in rehearsals; rows of other tables are not shown. */
export function ViewsRowsOf(table: string, name: string): ClassDecorator {
  return applyDecorators(Injectable(), SetMetadata(VIEW, { table, name }));
}

/** What rows looked like before a change, and after it. */
export interface BeforeAndAfter {
  readonly before: Record<string, object[]>;
  readonly after: Record<string, object[]>;
}

/** Shows rows of any module without knowing one. */
@Injectable()
export class Views implements OnModuleInit {
  private readonly views = new Map<string, { name: string; view: RowView }>();

  constructor(private readonly discovery: DiscoveryService) {}

  onModuleInit(): void {
    for (const { metatype, instance } of this.discovery.getProviders()) {
      if (typeof metatype !== 'function') continue;
      const options = Reflect.getMetadata(VIEW, metatype) as ViewOptions | undefined;
      if (options !== undefined) {
        this.views.set(options.table, { name: options.name, view: instance as RowView });
      }
    }
  }

  /** A row that is new has no before, one that is gone no after. */
  of(changes: readonly RehearsedChange[]): BeforeAndAfter {
    const result: BeforeAndAfter = { before: {}, after: {} };
    for (const { table, before, after } of changes) {
      const shown = this.views.get(table);
      if (shown === undefined) continue;
      const { name, view } = shown;
      result.before[name] = [...(result.before[name] ?? []), ...(before === undefined ? [] : [view.toView(before)])];
      result.after[name] = [...(result.after[name] ?? []), ...(after === undefined ? [] : [view.toView(after)])];
    }
    return result;
  }
}
