import { z } from 'zod';
import { episodeSchema } from '../domain/episode.ts';
import { type Fingerprint, fingerprintSchema } from '../domain/evaluation.ts';
import { gradeSchema } from '../domain/verdict.ts';

/** First line of a journal: what all its samples depend on. */
export const journalHeaderSchema = z.strictObject({
  kind: z.literal('header'),
  version: z.literal(1),
  datasetDigest: z.string(),
  fingerprint: fingerprintSchema,
});
export type JournalHeader = z.infer<typeof journalHeaderSchema>;

/** An asked and graded sample. The last entry of a (sample, attempt) counts. */
export const sampleEntrySchema = z.strictObject({
  kind: z.literal('sample'),
  sampleId: z.string(),
  /** Repetition of the sample, from 0. */
  attempt: z.int().nonnegative(),
  /** Place of the sample in the data set, from 0, over all its files. */
  row: z.int().nonnegative().optional(),
  episode: episodeSchema,
  grade: gradeSchema,
});
export type SampleEntry = z.infer<typeof sampleEntrySchema>;

/** What an entry is about: one attempt at one sample. `#` in an id is doubled, so that it reads as no attempt. */
export const entryKey = ({ sampleId, attempt }: Pick<SampleEntry, 'sampleId' | 'attempt'>): string => {
  const name = sampleId.replaceAll('#', '##');
  return attempt === 0 ? name : `${name}#${attempt}`;
};

export const journalEntrySchema = z.discriminatedUnion('kind', [journalHeaderSchema, sampleEntrySchema]);
export type JournalEntry = z.infer<typeof journalEntrySchema>;

const leaves = (value: unknown, path = ''): [string, string][] =>
  typeof value === 'object' && value !== null
    ? Object.entries(value).flatMap(([key, inner]) => leaves(inner, path ? `${path}.${key}` : key))
    : [[path, JSON.stringify(value)]];

/** The fields in which two fingerprints differ, as `temperature: 0 → 1`. */
export const fingerprintDifferences = (first: Partial<Fingerprint>, second: Partial<Fingerprint>): string[] => {
  const [before, after] = [new Map(leaves(first)), new Map(leaves(second))];
  return [...new Set([...before.keys(), ...after.keys()])]
    .filter((key) => before.get(key) !== after.get(key))
    .map((key) => `${key}: ${before.get(key) ?? 'none'} → ${after.get(key) ?? 'none'}`);
};
