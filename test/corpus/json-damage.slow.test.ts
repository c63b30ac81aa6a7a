/** Damage in JSON lists, many thousand cases. */
import { jsonDamageTests } from './json-damage.ts';

jsonDamageTests(4000);
