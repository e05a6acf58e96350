// What a verdict is worth, in the words of xlite.report.worth: model.json has them by the probability they hold from.

/** The texts of a finding at a probability: `part` is "short", "says" or "cells"; `isVoid` if a guard fired. */
export function worth(finding, part, probability, isVoid) {
  return finding.worth[part].map((holds, column) => {
    const steps = (isVoid && finding.void[part][column]) || holds;
    return steps.findLast(([from]) => from <= probability)[1];
  });
}
