export const UNLISTED = 'A module that the table does not know.';
