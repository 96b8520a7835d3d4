// Breaks: agent-domain-is-pure
import type { Settings } from '../../../shared/settings.ts';

export type Known = Settings;
