import { ApiProperty } from '@nestjs/swagger';
import type { Page } from '../kernel/page.ts';

/** What every list answers besides its items. */
export class PageResponse {
  @ApiProperty({
    type: String,
    nullable: true,
    description: 'Asks for the next page (`cursor`); null on the last one.',
    example: null,
  })
  nextCursor!: string | null;
}

/** Shapes the items of a page. */
export function toPageResponse<View, Item>(
  { items, nextCursor }: Page<View>,
  toItem: (view: View) => Item,
): { items: Item[]; nextCursor: string | null } {
  return { items: items.map(toItem), nextCursor };
}
