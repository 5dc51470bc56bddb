// Help, always in the same corner; and the state of the tablet, for the officer.

import * as outbox from "../outbox.js";
import { button, h, icon } from "../paint.js";
import { seat } from "../seat.js";
import { moment, t } from "../words.js";
import { note } from "./parts.js";

const LESSONS = [
  ["basket", "help.choose"],
  ["tick", "help.confirm"],
  ["approved", "help.approve"],
  ["hand", "help.receive"],
  ["purse", "help.money"],
  ["key", "help.pin"],
];

// Screens that can be gone back to without what they started from.
const SAFE = ["home", "categories", "basket", "orders", "money", "number"];

export const help = {
  back: (at) => [SAFE.includes(at.from) ? at.from : seat.session ? "home" : "number"],
  draw(app) {
    return [
      h("h1", {}, t("home.help")),
      h(
        "ol",
        { class: "lessons" },
        LESSONS.map(([image, key]) => h("li", {}, icon(image, "", "big"), h("p", {}, t(key)))),
      ),
      note("officer", t("help.officer"), "info"),
      h(
        "div",
        { class: "choices" },
        button(t("status.title"), { image: "tablet", kind: "second", does: () => app.go("status") }),
      ),
    ];
  },
};

/** What the officer wants to know when a tablet is silent. Names nobody. */
export const status = {
  back: "help",
  draw(app, at) {
    if (!at.asked) {
      at.asked = true;
      look(app, at);
    }
    const fact = (name, value) => h("div", {}, h("dt", {}, name), h("dd", {}, value));
    return [
      h("h1", {}, t("status.title")),
      h(
        "dl",
        { class: "facts" },
        fact(t("status.cell"), app.device?.cell ?? "—"),
        fact(t("status.network"), t(app.reached ? "net.on_short" : "net.off")),
        fact(t("status.unsent"), String(app.unsent)),
        fact(t("status.oldest"), at.oldest ? moment(at.oldest) : "—"),
        fact(t("status.shelf"), String(app.shelf?.catalogue_version ?? "—")),
        fact(t("status.kept"), at.kept === undefined ? "—" : t(at.kept ? "status.yes" : "status.no")),
        fact(t("status.clock"), moment(new Date().toISOString())),
      ),
      app.unsent ? note("key", t("status.owner")) : null,
      h(
        "div",
        { class: "choices" },
        button(t("status.send"), {
          image: "sent",
          does: () => app.attempt(() => outbox.drain()),
          off: at.busy,
        }),
      ),
    ];
  },
};

async function look(app, at) {
  at.kept = await navigator.storage?.persisted?.();
  at.oldest = await outbox.oldest();
  if (app.at === at) app.draw();
}
