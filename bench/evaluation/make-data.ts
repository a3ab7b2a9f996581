import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import sharp from 'sharp';
import { rlSchema } from '../../datasets/arrow-schemas.ts';
import { encodeBatches } from '../../evaluation/export/encode-batches.ts';
import { rowBatches } from '../../evaluation/export/row-batches.ts';
import { seededRandom } from '../../evaluation/statistics/seeded-random.ts';
import { writeFileAtomic } from '../../processes/atomic-file.ts';

/** A JPEG of noise of the wanted size, to a hundredth or two; noise is what a photograph costs to encode, at worst. */
const noise = async (bytes: number): Promise<Buffer> => {
  const random = seededRandom(bytes);
  const side = Math.max(28, Math.round(Math.sqrt(bytes * 1.55)));
  const pixels = Buffer.alloc(side * side * 3);
  for (let at = 0; at < pixels.length; at += 1) pixels[at] = Math.floor(random() * 256);
  const picture = sharp(pixels, { raw: { width: side, height: side, channels: 3 } });
  const encoded = (quality: number): Promise<Buffer> =>
    picture.jpeg({ quality, chromaSubsampling: '4:2:0' }).toBuffer();
  let best = await encoded(50);
  // The better the quality the more bytes: the last one that does not have too many.
  for (let [low, high] = [50, 96]; high - low > 1; ) {
    const quality = (low + high) >> 1;
    const next = await encoded(quality);
    if (next.length > bytes) high = quality;
    else [low, best] = [quality, next];
  }
  return best;
};

/** The same picture as other bytes: with a comment behind the first marker. */
const numbered = (jpeg: Buffer, index: number): Buffer => {
  const text = Buffer.from(String(index).padStart(12, '0'));
  return Buffer.concat([jpeg.subarray(0, 2), Buffer.from([0xff, 0xfe, 0, text.length + 2]), text, jpeg.subarray(2)]);
};

const writeData = async (dir: string, samples: number, imageBytes: number): Promise<string> => {
  const picture = await noise(imageBytes);
  async function* rows() {
    for (let index = 0; index < samples; index += 1) {
      const question = `What is number ${index} in the picture?`;
      const answer = 'the number seven';
      yield {
        data_source: 'bench',
        prompt: [{ role: 'user', content: `<image>${question}` }],
        images: [{ bytes: numbered(picture, index), path: null }],
        ability: 'bench',
        reward_model: { style: 'rule', ground_truth: answer },
        extra_info: {
          split: 'bench',
          index,
          question,
          answer,
          answer_kind: 'text',
          family: 'bench',
          transform: 'identity',
        },
      };
    }
  }
  const path = join(dir, `bench-${samples}-${imageBytes}.parquet`);
  // Batches of few rows, for what a thousand images of 5 MB would take.
  const batchSize = Math.max(1, Math.min(1024, Math.floor(16e6 / imageBytes)));
  // A reader holds a row group in memory: the `datasets` library, too, writes a hundred images to one.
  const groupRows = Math.max(1, Math.min(8192, Math.floor(20e6 / imageBytes)));
  await writeFileAtomic(path, encodeBatches('parquet', rlSchema, rowBatches(rlSchema, rows(), batchSize), groupRows));
  return path;
};

/**
 * Writes a data set of questions that only the judge can grade, each with an image of its own; in a process of its own,
 * whose memory is then no one else's.
 */
export const makeData = async (dir: string, samples: number, imageBytes: number): Promise<string> => {
  const args = [import.meta.filename, dir, String(samples), String(imageBytes)];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return stdout.trim();
};

if (import.meta.main) {
  const [dir = '', samples, imageBytes] = process.argv.slice(2);
  process.stdout.write(`${await writeData(dir, Number(samples), Number(imageBytes))}\n`);
}
