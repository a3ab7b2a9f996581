/** What a rule says of an answer: its decision and why, or that it cannot tell. */
export type RuleDecision =
  | { readonly decided: true; readonly correct: boolean; readonly reason: string }
  | { readonly decided: false; readonly reason: string };

export const decide = (correct: boolean, reason: string): RuleDecision => ({ decided: true, correct, reason });
