/**
 * Members that mean the same wherever they stand, for those that say nothing of themselves. What a member means at one
 * place only is said there.
 */
export const WORDS: Readonly<Record<string, string>> = {
  id: 'Made by the server.',
  sku: 'The product, as the chain names it.',
  locationId: 'The location, as the chain names it.',
  fromLocationId: 'The location that the units left.',
  toLocationId: 'The location that the units go to.',
  movementId: 'The movement; made by the server, in the order of time.',
  cartId: 'The cart that it is for; null: none.',
  orderId: 'The order that was paid.',
  quantity: 'Units.',
  available: 'Units that may still be taken.',
  createdAt: 'When it was made.',
  updatedAt: 'When it was changed last.',
  occurredAt: 'When it happened.',
  items: 'In the order that the list states.',
};

/** The page of every list. */
export const PAGE_DESCRIPTION = 'A page of a list.';
