// Breaks: kernel-sees-only-kernel
import type { Settings } from '../settings.ts';

export type Known = Settings;
