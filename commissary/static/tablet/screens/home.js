// Four pictures: shop, my orders, my money, help.

import { h, icon } from "../paint.js";
import { seat } from "../seat.js";
import { t } from "../words.js";

export const home = {
  draw(app) {
    const tile = (name, image) =>
      h(
        "li",
        {},
        h(
          "button",
          { type: "button", class: `tile to-${name}`, "data-key": name, on: { click: () => app.go(name) } },
          icon(image, "", "huge"),
          h("span", {}, t(`home.${name}`)),
        ),
      );
    return [
      h("h1", {}, seat.name ? t("home.hello", { name: seat.name }) : t("home.title")),
      h(
        "ul",
        { class: "tiles" },
        tile("categories", "basket"),
        tile("orders", "parcel"),
        tile("money", "purse"),
        tile("help", "help"),
      ),
    ];
  },
};
