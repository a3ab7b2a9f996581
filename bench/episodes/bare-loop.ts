import { Agent, request } from 'undici';

/** The least that a client can do: posts prepared bodies, three turns an episode, and reads the answers. */
export const bareLoop = async (
  url: string,
  episodes: number,
  concurrency: number,
  imageOf: (place: number) => Buffer,
): Promise<void> => {
  const agent = new Agent({ connections: null });
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < episodes) {
      const place = next;
      next += 1;
      const data = imageOf(place).toString('base64');
      const content = [
        { type: 'image_url', image_url: { url: `data:image/png;base64,${data}` } },
        { type: 'text', text: 'Which digit is this?' },
      ];
      const messages: { role: string; content: unknown }[] = [{ role: 'user', content }];
      for (let turn = 0; turn < 3; turn += 1) {
        const { body } = await request(`${url}/chat/completions`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ model: 'mock', messages }),
          dispatcher: agent,
        });
        await body.json();
        messages.push({ role: 'assistant', content: 'x' }, { role: 'user', content: 'y' });
      }
    }
  };
  await Promise.all(Array.from({ length: concurrency }, lane));
  await agent.close();
};
