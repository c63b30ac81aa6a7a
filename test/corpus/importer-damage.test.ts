/** Damage and noise, a few hundred cases. */
import { damageTests } from './importer-damage.ts';

damageTests(120);
