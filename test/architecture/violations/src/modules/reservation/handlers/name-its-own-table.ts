export const key = { table: 'bookings', values: ['A'] };
export const statement = 'SELECT * FROM bookings';
