/** What a rule compares. */
export interface RuleQuestion {
  readonly reference: string;
  readonly answer: string;
  readonly question?: string;
  /** Texts of a multiple choice by their letters. */
  readonly options?: ReadonlyMap<string, string>;
}

/**
 * What a rule says of an answer: its decision and why, or that it cannot tell. `parsed: false` says that it found
 * nothing in the answer that it could compare.
 */
export type RuleDecision =
  | { readonly decided: true; readonly correct: boolean; readonly reason: string }
  | { readonly decided: false; readonly parsed: boolean; readonly reason: string };

export const decide = (correct: boolean, reason: string): RuleDecision => ({ decided: true, correct, reason });

/** The answer was read, but whether it means the same as the reference is not for a rule. */
export const undecided = (reason: string): RuleDecision => ({ decided: false, parsed: true, reason });

export const unparsed = (reason: string): RuleDecision => ({ decided: false, parsed: false, reason });
