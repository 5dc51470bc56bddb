// My money: covered until it is tapped, covered again after ten seconds.

import { h } from "../paint.js";
import { t } from "../words.js";
import { limit } from "./basket.js";
import { covered, note, trouble } from "./parts.js";

export const money = {
  back: "home",
  draw(app, at) {
    return [
      h("h1", {}, t("home.money")),
      trouble(at.trouble),
      h("div", { class: "big-cover" }, covered(app, { label: t("money.mine"), amount: (balance) => balance })),
      h("section", { class: "limits" }, h("h2", {}, t("limit.title")), limit()),
      note("paper", t("money.paper")),
    ];
  },
};
