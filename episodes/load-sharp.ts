/** Few images need it, and to load it takes longer than all else at the start. */
export const loadSharp = async () => {
  const { default: sharp } = await import('sharp');
  // An image that is read rarely comes twice: what it would keep of it is of no use.
  sharp.cache(false);
  return sharp;
};
