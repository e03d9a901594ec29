/** `node --import` this: the suite's CLI asks `node:fs` for a name that Node 20 hasn't got. */
import { register } from 'node:module';

register('./hooks.mjs', import.meta.url);
