const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text as HTML: what a model wrote stays text. */
export const escapeHtml = (text: string): string =>
  text.replaceAll(/[&<>"']/g, (character) => entities[character] ?? '');

export const section = (title: string, body: string): string =>
  `<section><h2>${escapeHtml(title)}</h2>${body}</section>`;

/** A coloured dot, as a key before a name. */
export const key = (colour: string): string => `<i class="key" style="background:${colour}"></i>`;

/** Names of colours in a line, under or above a figure. */
export const legend = (entries: readonly { readonly name: string; readonly colour: string }[]): string =>
  `<p class="legend">${entries.map(({ name, colour }) => `<span>${key(colour)}${escapeHtml(name)}</span>`).join('')}</p>`;

/** The first characters of a digest; the whole one is its tooltip. */
export const shortDigest = (digest: string): string =>
  `<code title="${escapeHtml(digest)}">${escapeHtml(digest.slice(0, 12))}</code>`;
