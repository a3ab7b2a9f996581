const z = 1.959963984540054;

/** Wilson's 95 % interval of a share, as `[low, high]`; `[0, 1]` where nothing was counted. */
export const agreementInterval = (agreed: number, total: number): readonly [low: number, high: number] => {
  if (total === 0) return [0, 1];
  const share = agreed / total;
  const centre = share + z ** 2 / (2 * total);
  const spread = z * Math.sqrt((share * (1 - share)) / total + z ** 2 / (4 * total ** 2));
  const scale = 1 + z ** 2 / total;
  return [Math.max(0, (centre - spread) / scale), Math.min(1, (centre + spread) / scale)];
};
