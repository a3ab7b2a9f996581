/** How far a run is with its budget; hours are unit hours. */
export interface BudgetState {
  readonly limit: number;
  /** Share of the limit from which on a warning is given. */
  readonly warning: number;
  readonly used: number;
  /** What will be used at the end of the stage under way; null before its pace is known. */
  readonly forecast: number | null;
}

/** How a stage under way is getting on; null figures are not known yet. */
export interface BudgetPace {
  readonly step: number;
  readonly total: number;
  /** Unit hours of a step. */
  readonly hoursPerStep: number | null;
  readonly saveEvery: number;
}

/** Unit hours that will be used at the stage's end. */
export const forecastHours = (used: number, { step, total, hoursPerStep }: BudgetPace): number | null =>
  hoursPerStep === null ? null : used + Math.max(0, total - step) * hoursPerStep;

const hours = (value: number): string => (value < 10 ? value.toPrecision(3) : value.toFixed(1));

/** Why a warning is due; undefined while all is well. */
export const budgetWarning = ({ limit, warning, used, forecast }: BudgetState): string | undefined => {
  if (used >= warning * limit)
    return `${hours(used)} of limits.gpuHours = ${limit} are used, ${Math.round((100 * used) / limit)} %`;
  if (forecast !== null && forecast > limit)
    return `at this pace the stage ends at ${hours(forecast)} unit hours, more than limits.gpuHours = ${limit}; ${hours(used)} are used`;
  return undefined;
};

/**
 * Why a stage stops at a checkpoint that it has just made: the budget is used up, or would be before the next one.
 * Undefined where it goes on, also where nothing but its end is left to do.
 */
export const budgetStop = (
  { limit, used }: Pick<BudgetState, 'limit' | 'used'>,
  { step, total, hoursPerStep, saveEvery }: BudgetPace,
): string | undefined => {
  if (step >= total) return undefined;
  if (used >= limit) return `${hours(used)} of limits.gpuHours = ${limit} are used`;
  if (hoursPerStep === null) return undefined;
  const next = used + Math.min(saveEvery, total - step) * hoursPerStep;
  return next > limit
    ? `${hours(used)} of limits.gpuHours = ${limit} are used, and the next checkpoint would take them to ${hours(next)}`
    : undefined;
};
