/** What came of a request that was remembered by its id. */
export type Remembered<Response> =
  | { readonly kind: 'known'; readonly response: Promise<Response> }
  | { readonly kind: 'conflict' };

interface Entry<Response> {
  readonly bodyDigest: string;
  readonly weight: number;
  readonly response: Promise<Response>;
}

/** Keeps the responses of the newest requests, so that one that is sent again is neither done twice nor answered anew. */
export interface ResponseMemory<Response> {
  /** The response under an id, if any; `conflict` where it belongs to another body. */
  readonly find: (id: string, bodyDigest: string) => Remembered<Response> | undefined;
  /**
   * Remembers a response while it is being made and after; a failure is forgotten, for it may be tried again. The
   * oldest go when the weights of all exceed the limit, never the newest.
   */
  readonly keep: (id: string, entry: Entry<Response>) => void;
}

export const createResponseMemory = <Response>({ weight: limit }: { weight: number }): ResponseMemory<Response> => {
  const kept = new Map<string, Entry<Response>>();
  let held = 0;
  const drop = (id: string, entry: Entry<Response>): void => {
    if (kept.get(id) !== entry) return;
    kept.delete(id);
    held -= entry.weight;
  };
  return {
    find: (id, bodyDigest) => {
      const entry = kept.get(id);
      if (!entry) return undefined;
      return entry.bodyDigest === bodyDigest ? { kind: 'known', response: entry.response } : { kind: 'conflict' };
    },
    keep: (id, entry) => {
      kept.set(id, entry);
      held += entry.weight;
      entry.response.catch(() => drop(id, entry));
      // A Map keeps the order of insertion, so the first is the oldest.
      for (const [oldest, other] of kept) {
        if (held <= limit || other === entry) break;
        drop(oldest, other);
      }
    },
  };
};
