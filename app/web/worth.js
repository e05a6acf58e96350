// What a verdict is worth, in the words of xlite.report.worth: model.json has them by the probability they hold from.

export const percent = (value) => `${(100 * value).toFixed(1)}%`;

/**
 * The texts of a finding at a probability: `part` is "short", "says" or "cells"; `isVoid` if a guard fired,
 * `apart` is the standard deviation of an ensemble's members.
 */
export function worth(finding, part, probability, isVoid, apart) {
  return finding.worth[part].map((holds, column) => {
    const steps = (isVoid && finding.void[part][column]) || holds;
    return steps.findLast(([from]) => from <= probability)[1].replace("{apart}", percent(apart));
  });
}
