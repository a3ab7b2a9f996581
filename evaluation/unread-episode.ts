import type { Episode } from '../domain/episode.ts';
import type { LensmithError } from '../domain/errors.ts';
import type { LoadedProtocol } from '../episodes/load-protocol.ts';

/** The episode of a row that cannot be read: a `data_error` without turns, so that it stays in the denominator. */
export const unreadEpisode = (
  sampleId: string,
  episodeId: string,
  protocol: LoadedProtocol,
  model: string,
  error: LensmithError,
): Episode => ({
  version: 1,
  episodeId,
  task: {
    sampleId,
    dataSource: 'unread',
    question: '',
    reference: '',
    answerKind: 'text',
    family: 'unread',
    transform: 'identity',
  },
  protocol: protocol.ref,
  model,
  inputImages: [],
  turns: [],
  ending: 'data_error',
  answer: null,
  error: { type: error.type, message: error.where ? `${error.where}: ${error.message}` : error.message },
});
