// What a verdict is worth, in the words of xlite.report.worth: model.json has them by the probability they hold from.

/** A share with one digit, as `percent` of xlite.text writes it: none but 0 and 1 themselves are shown as such. */
export function percent(share) {
  const text = (100 * share).toFixed(1);
  if (share < 1 && text === "100.0") return ">99.9%";
  return share > 0 && text === "0.0" ? "<0.1%" : `${text}%`;
}

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
