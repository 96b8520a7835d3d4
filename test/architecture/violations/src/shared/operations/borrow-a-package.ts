// Breaks: no-undeclared-dependencies
import type { Observable } from 'rxjs';

export type Known = Observable<unknown>;
