import { afterEach, expect, test } from 'vitest';
import { takesKeptMedia } from '../../episodes/media-support.ts';
import { codeTurn, type PlayOptions, play } from './play.ts';
import { png, producedImage, ranOk, scriptedSandbox } from './scripted-sandbox.ts';
import { answerStatus, type ReceivedRequest, type Step, startScriptedServer } from './scripted-server.ts';

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((part) => part.close()));
});

const picture = await producedImage(28, 56);
const turns = [codeTurn('first()'), codeTurn('second()'), '<answer>7</answer>'];

/** A server that keeps the images that it was sent in full, until `forgetAfter` requests. */
const startKeeping = async (version: string, options: { refuses?: boolean; forgetAfter?: number } = {}) => {
  const kept = new Set<string>();
  let answered = 0;
  const next = ({ messages }: ReceivedRequest, count: number): Step => {
    const parts = messages.flatMap(({ content }) => (typeof content === 'string' ? [] : content));
    const images = parts.filter(({ type }) => type === 'image_url');
    if (count === options.forgetAfter) kept.clear();
    const missing = images.some(({ image_url, uuid }) => !image_url && (options.refuses || !kept.has(uuid ?? '')));
    if (missing) return answerStatus(400, '{"error":{"message":"the data of an image is not there"}}');
    for (const { uuid } of images) if (uuid) kept.add(uuid);
    answered += 1;
    return turns[answered - 1] ?? answerStatus(400);
  };
  const server = await startScriptedServer(next, {
    model: 'scripted',
    ownedBy: 'vllm',
    pages: { '/version': JSON.stringify({ version }) },
  });
  open.push(server);
  return server;
};

const run = (server: { url: string }, client: PlayOptions['client'] = {}) =>
  play({
    endpoints: [server.url],
    client,
    sandbox: scriptedSandbox((_, count) => ({ ...ranOk(''), images: count === 1 ? [picture] : [] })).sandbox,
  });

/** For each request, for each image, how it was sent. */
const forms = (requests: readonly ReceivedRequest[]): string[][] =>
  requests.map(({ messages }) =>
    messages
      .flatMap(({ content }) => (typeof content === 'string' ? [] : content))
      .filter(({ type }) => type === 'image_url')
      .map(({ image_url, uuid }) => (image_url ? (uuid ? 'named' : 'plain') : 'kept')),
  );

test('an image is sent once to a server that keeps it, and by its digest from then on', async () => {
  const server = await startKeeping('0.11.0');
  expect(await run(server)).toMatchObject({ ending: 'answered', answer: '7' });
  expect(forms(server.requests)).toEqual([['named'], ['kept', 'named'], ['kept', 'kept']]);
  const last = JSON.stringify(server.requests.at(-1));
  expect(last).toContain(picture.digest);
  expect(last).not.toContain(picture.data);
  expect(last).not.toContain((await png(28, 28)).toString('base64'));
});

test('where the server has dropped an image the turn is asked again with all of them, and no turn is lost', async () => {
  const server = await startKeeping('0.20.1', { forgetAfter: 3 });
  const episode = await run(server);
  expect(episode).toMatchObject({ ending: 'answered', answer: '7' });
  expect(forms(server.requests)).toEqual([['named'], ['kept', 'named'], ['kept', 'kept'], ['named', 'named']]);
  expect(episode.turns.map(({ tries }) => tries)).toEqual([1, 1, 2]);
});

test('a server that never finds them is sent every image in full', async () => {
  const server = await startKeeping('1.0.0', { refuses: true });
  expect(await run(server)).toMatchObject({ ending: 'answered', answer: '7' });
});

test.each<[string, PlayOptions['client']]>([
  ['0.10.2', {}],
  ['1.0.0', { mediaReuse: 'never' }],
])('version %s with %j gets plain images', async (version, client) => {
  const server = await startKeeping(version);
  await run(server, client);
  expect(forms(server.requests)).toEqual([['plain'], ['plain', 'plain'], ['plain', 'plain']]);
});

test.each([
  ['0.10.2', false],
  ['0.11.0', true],
  ['0.9.0', false],
  ['v0.25.1rc1', true],
  ['1.2', true],
  ['nightly', false],
])('version %s takes ids: %s', (version, takes) => expect(takesKeptMedia(version)).toBe(takes));
