// Breaks: nothing-imports-the-root
import { PORT } from '../../main.ts';

export const port = PORT;
