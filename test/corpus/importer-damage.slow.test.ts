/** Damage and noise, many thousand cases. */
import { damageTests } from './importer-damage.ts';

damageTests(5000);
