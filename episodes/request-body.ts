import type { ChatMessage } from './chat-message.ts';
import type { StoredImage } from './image-store.ts';

/** How a server gets the images: in full; in full with an id to keep them under; or only the id of what it keeps. */
export type MediaForm = 'plain' | 'named' | 'kept';

/** The body of a request as pieces, of which those of images are neither copied nor encoded again. */
export interface RequestBody {
  /** Bytes. */
  readonly length: number;
  /** Whether an image is sent by its id alone. */
  readonly omits: boolean;
  /** The pieces in order; those of images that lie on the disk are read as they are asked for. */
  chunks(): Iterable<Buffer> | AsyncIterable<Buffer>;
}

const comma = Buffer.from(',');

// vLLM: a content part's `uuid` names its media for the server's cache, and `image_url: null` asks for the cached one
// (docs/features/multimodal_inputs.md).
const around = ({ mediaType, digest }: StoredImage, form: MediaForm): readonly [string, string] => {
  if (form === 'kept') return [`{"type":"image_url","image_url":null,"uuid":"${digest}"}`, ''];
  const end = form === 'named' ? `"},"uuid":"${digest}"}` : '"}}';
  return [`{"type":"image_url","image_url":{"url":"data:${mediaType};base64,`, end];
};

async function* readChunks(pieces: readonly (Buffer | StoredImage)[]): AsyncGenerator<Buffer> {
  for (const piece of pieces) {
    if (Buffer.isBuffer(piece)) yield piece;
    else yield* piece.base64.chunks();
  }
}

/** Without a wait between pieces where all of them are in memory. */
const chunksOf = (pieces: readonly (Buffer | StoredImage)[]): Iterable<Buffer> | AsyncIterable<Buffer> => {
  const chunks: Buffer[] = [];
  for (const piece of pieces) {
    const bytes = Buffer.isBuffer(piece) ? piece : piece.base64.bytesInMemory;
    if (!bytes) return readChunks(pieces);
    chunks.push(bytes);
  }
  return chunks;
};

/**
 * The body of a chat request.
 *
 * @param fields - What stands beside the messages.
 * @param formOf - How each image is sent.
 */
export const encodeRequest = (
  fields: Readonly<Record<string, string | number | boolean>>,
  messages: readonly ChatMessage[],
  formOf: (image: StoredImage) => MediaForm = () => 'plain',
): RequestBody => {
  const pieces: (Buffer | StoredImage)[] = [];
  let text: Buffer[] = [];
  let length = 0;
  let omits = false;
  // Few large writes cost less than many small ones.
  const flush = (): void => {
    if (text.length > 0) pieces.push(Buffer.concat(text));
    text = [];
  };
  const push = (piece: Buffer): void => {
    text.push(piece);
    length += piece.length;
  };
  push(Buffer.from(`${JSON.stringify(fields).slice(0, -1)},"messages":[`));
  for (const [index, message] of messages.entries()) {
    if (index) push(comma);
    for (const piece of message) {
      if (Buffer.isBuffer(piece)) {
        push(piece);
        continue;
      }
      const form = formOf(piece);
      const [start, end] = around(piece, form);
      push(Buffer.from(start));
      if (form === 'kept') omits = true;
      else {
        flush();
        pieces.push(piece);
        length += piece.base64.length;
        push(Buffer.from(end));
      }
    }
  }
  push(Buffer.from(']}'));
  flush();
  return { length, omits, chunks: () => chunksOf(pieces) };
};
