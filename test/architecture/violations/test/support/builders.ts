export const aThing = {};
