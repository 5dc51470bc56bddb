// Four pictures: shop, my orders, my money, help.

import * as outbox from "../outbox.js";
import { button, h, icon } from "../paint.js";
import { seat } from "../seat.js";
import { t } from "../words.js";

export const home = {
  draw(app, at) {
    if (!at.asked) {
      at.asked = true;
      home.read(app, at);
    }
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
      at.answers
        ? h(
            "div",
            { class: "panel warn" },
            icon("help", "", "big"),
            h("p", {}, t("home.asked")),
            button(t("orders.answer"), { image: "next", does: () => app.go("orders") }),
          )
        : null,
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

  /** See whether an order waits for the person's answer, or came back refused. */
  async read(app, at) {
    const kept = await outbox.of(seat.tag);
    at.answers = kept.some(({ state }) => state !== "waiting");
    if (app.at === at) app.draw();
  },
};
