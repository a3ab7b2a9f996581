/** How alike two equally long lists of brightness are. */
export interface Similarity {
  /** Mean absolute difference, 0 to 255. */
  readonly difference: number;
  /** Pearson's correlation, −1 to 1; 0 where one of them is flat. */
  readonly correlation: number;
}

export const similarity = (one: ArrayLike<number>, other: ArrayLike<number>): Similarity => {
  const count = one.length;
  let [sumOne, sumOther, difference] = [0, 0, 0];
  for (let index = 0; index < count; index += 1) {
    const [a, b] = [one[index] ?? 0, other[index] ?? 0];
    sumOne += a;
    sumOther += b;
    difference += Math.abs(a - b);
  }
  const [meanOne, meanOther] = [sumOne / count, sumOther / count];
  let [product, squaresOne, squaresOther] = [0, 0, 0];
  for (let index = 0; index < count; index += 1) {
    const [a, b] = [(one[index] ?? 0) - meanOne, (other[index] ?? 0) - meanOther];
    product += a * b;
    squaresOne += a * a;
    squaresOther += b * b;
  }
  const scale = Math.sqrt(squaresOne * squaresOther);
  return { difference: difference / count, correlation: scale > 0 ? product / scale : 0 };
};
