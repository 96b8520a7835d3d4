// Breaks: kernel-knows-no-framework
import type { EntitySchema } from 'typeorm';

export type Known = EntitySchema;
