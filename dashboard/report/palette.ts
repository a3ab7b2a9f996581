/** Colours of the page by what they stand for; each is defined for light and dark in the styles. */
export const modelColours: Readonly<Record<string, string>> = { base: 'var(--a)', sft: 'var(--b)', rl: 'var(--c)' };

/** Colour of a model in every figure and table; one without a place of its own is drawn in ink. */
export const modelColour = (model: string): string => modelColours[model] ?? 'var(--ink)';

/** Colours of curves that stand for no model. */
export const seriesColours = ['var(--b)', 'var(--c)', 'var(--d)', 'var(--e)'] as const;

/** The names by which people know the models. */
export const modelTitle = (model: string): string => ({ base: 'Base', sft: 'SFT', rl: 'RL' })[model] ?? model;
