// Names: bookings
export const statement = `
  SELECT item.*
    FROM stock_items item, bookings
   WHERE item.id = bookings.id`;
