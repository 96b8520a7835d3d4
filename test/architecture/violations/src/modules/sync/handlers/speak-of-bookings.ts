export const message = 'No bookings can be taken from this store, so select another and update the cart.';
