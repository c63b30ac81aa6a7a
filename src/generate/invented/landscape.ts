/**
 * The vocabulary of an invented landscape, read from YAML: themes (what a label names), each with concepts, each with
 * several ways to say it. Different sections of a patent say a concept differently, so that lexical and dense models have
 * different things to find.
 */
import { parse } from 'yaml';
import { z } from 'zod';
import { inputError } from '../../base/errors.ts';

const conceptSchema = z.object({
  /** Ways to name the concept, from the plainest to the most formal. */
  names: z.array(z.string().min(1)).min(3),
  /** What it does, as a verb phrase: "damps sudden loads". */
  does: z.string().min(1),
  /** What it is made of or consists of: "a sealed viscous cell". */
  part: z.string().min(1),
});

const landscapeSchema = z.object({
  name: z.string().regex(/^[a-z][a-z0-9-]*$/),
  title: z.string(),
  /** The serial number of its first patent: two landscapes never share a publication number. */
  serials: z.number().int().min(10_000).max(900_000),
  /** What the inventions are: "walking aid", with its formal names. */
  devices: z.array(z.array(z.string().min(1)).min(2)).min(3),
  problems: z.array(z.string().min(1)).min(3),
  themes: z
    .array(
      z.object({
        label: z.string().min(1),
        ipc: z.array(z.string().regex(/^[A-H]\d{2}[A-Z]\d+\/\d+$/)).min(1),
        concepts: z.array(conceptSchema).min(4),
      }),
    )
    .min(3),
});

export type Landscape = z.infer<typeof landscapeSchema>;
export type Concept = z.infer<typeof conceptSchema>;

/** Reads a landscape; `file` is named in errors. */
export function parseLandscape(text: string, file: string): Landscape {
  const outcome = landscapeSchema.safeParse(parse(text));
  if (outcome.success) return outcome.data;
  const issue = outcome.error.issues[0]!;
  throw inputError(issue.message, { code: 'landscape.invalid', file, field: issue.path.join('.') });
}
