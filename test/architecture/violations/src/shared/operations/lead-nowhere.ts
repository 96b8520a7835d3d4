// Breaks: everything-resolves
import { nothing } from './not-there.ts';

export const lost: unknown = nothing;
