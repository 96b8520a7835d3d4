import { HttpError } from '../http/http-error.ts';

/** RFC 9110, section 11.6.1: a 401 says how to identify oneself. There is no registered scheme for an X-Api-Key. */
const CHALLENGE = { 'www-authenticate': 'Bearer realm="holdfast"' };

export function credentialMissing(): HttpError {
  return unauthenticated('Send a key as X-Api-Key, or a token as Authorization: Bearer');
}

/** The same for every reason: whoever guesses keys learns nothing about those that there are, or were. */
export function credentialRefused(): HttpError {
  return unauthenticated('The key or token is not valid, or not any more');
}

export function severalCredentials(): HttpError {
  return unauthenticated('Send one key or one token, once');
}

function unauthenticated(message: string): HttpError {
  return new HttpError('UNAUTHENTICATED', message, {}, CHALLENGE);
}

export function forbidden(message: string): HttpError {
  return new HttpError('FORBIDDEN', message);
}
