// Names: bookings
export const key = { table: 'bookings', values: ['A'] };
