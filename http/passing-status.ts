const passing = new Set([408, 409, 425, 429]);

/** Whether another try may not meet the status again. */
export const isPassingStatus = (status: number): boolean => passing.has(status) || status >= 500;
