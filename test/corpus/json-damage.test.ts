/** Damage in JSON lists, a few hundred cases. */
import { jsonDamageTests, jsonHidingTests } from './json-damage.ts';

jsonHidingTests();
jsonDamageTests(100);
