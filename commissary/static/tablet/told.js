// Every trouble as a picture and a sentence.

import { Refused, Unreachable } from "./door.js";
import { knows, t } from "./words.js";

const PICTURES = {
  wrong_pin: "wrong",
  pin_locked: "officer",
  bad_enrolment_code: "wrong",
  device_unknown: "officer",
  sign_in_needed: "key",
  insufficient_funds: "purse",
  spending_frozen: "locked",
  over_monthly_limit: "limit",
  too_many_orders: "limit",
  too_many_of_one: "limit",
  busy: "clock",
};

/** Return what to show for some trouble: a picture's name and a sentence. */
export function told(trouble) {
  if (trouble instanceof Unreachable) {
    return { image: "offline", sentence: t("trouble.network") };
  }
  if (!(trouble instanceof Refused)) {
    // A fault of this page or of the tablet (its store is full): never silent.
    reportError(trouble);
    return { image: "officer", sentence: t("trouble.other") };
  }
  const key = `trouble.${trouble.code}`;
  return {
    image: PICTURES[trouble.code] ?? "stop",
    sentence: trouble.sentence || (knows(key) ? t(key) : t("trouble.other")),
  };
}
