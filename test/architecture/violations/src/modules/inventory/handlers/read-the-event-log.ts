// Names: event_log
export const statement = 'DELETE FROM event_log';
