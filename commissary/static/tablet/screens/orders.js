// My orders: five pictures from this tablet to the hand.

import * as door from "../door.js";
import * as outbox from "../outbox.js";
import { ask } from "../over.js";
import { button, h, icon, picture } from "../paint.js";
import { seat } from "../seat.js";
import { told } from "../told.js";
import { knows, moment, money, named, t } from "../words.js";
import { note, trouble } from "./parts.js";

const STEPS = ["tablet", "sent", "approved", "box", "hand"];
// How far an order in each state has come, and whether it ended there.
const REACHED = {
  waiting: [1, ""],
  question: [1, "asks"],
  refused: [1, "ended"],
  placed: [2, ""],
  approved: [3, ""],
  part_approved: [3, ""],
  picked: [4, ""],
  handed_over: [5, ""],
  part: [5, ""],
  closed: [5, ""],
  rejected: [2, "ended"],
  expired: [2, "ended"],
  cancelled: [2, "ended"],
  undelivered: [4, "ended"],
};

function timeline(state) {
  const [reached, end] = REACHED[state] ?? [2, ""];
  return h(
    "ol",
    { class: "steps" },
    STEPS.map((image, place) => {
      const done = place < reached;
      const stopped = end === "ended" && place === reached;
      return h(
        "li",
        { class: stopped ? "stopped" : done ? "done" : "" },
        icon(stopped ? "stop" : image, "", "big"),
        h("span", {}, stopped ? t("step.stopped") : t(`step.${image}`)),
        done ? h("span", { class: "hidden" }, t("step.done")) : null,
      );
    }),
  );
}

const reason = (code) => (knows(`reason.${code}`) ? t(`reason.${code}`) : code);

function line(one) {
  const quantity = one.delivered ?? one.picked ?? one.approved ?? one.ordered;
  return h(
    "li",
    { class: "counted" },
    picture(one),
    h("span", { class: "times" }, quantity < one.ordered ? h("s", {}, `× ${one.ordered}`) : null, ` × ${quantity}`),
    h("span", { class: "called" }, named(one)),
    one.reason ? h("span", { class: "why" }, reason(one.reason)) : null,
  );
}

/** An order the server knows. */
function known(app, order) {
  return h(
    "li",
    { class: "order" },
    h("h2", {}, t("orders.number", { number: order.number })),
    h("p", { class: "when" }, moment(order.placed_at)),
    h("strong", { class: "amount" }, money(order.total)),
    timeline(order.state),
    h("p", { class: "lead" }, t(`state.${order.state}`), order.reason ? ` · ${reason(order.reason)}` : ""),
    h("ul", { class: "pictures small" }, order.lines.map(line)),
    order.can_cancel
      ? button(t("orders.cancel"), {
          image: "stop",
          kind: "second",
          key: `cancel-${order.id}`,
          does: () => askCancel(app, order),
        })
      : null,
  );
}

/** An order that is still on this tablet. */
function kept(app, saved) {
  const answer = outbox.answerTo(saved.client_id);
  const sentence = answer.trouble ? told(answer.trouble).sentence : t("sent.refused");
  return h(
    "li",
    { class: `order kept ${saved.state}` },
    h("h2", {}, t("orders.here")),
    h("p", { class: "when" }, moment(saved.placed_at)),
    h(
      "strong",
      { class: "amount" },
      money(saved.lines.reduce((sum, one) => sum + one.shown_price * one.quantity, 0)),
    ),
    timeline(saved.state),
    h("p", { class: "lead" }, saved.state === "refused" ? sentence : t(`state.${saved.state}`)),
    h("ul", { class: "pictures small" }, saved.lines.map((one) => line({ ...one, ordered: one.quantity }))),
    saved.state === "question"
      ? button(t("orders.answer"), { image: "help", does: () => app.go("question", { saved }) })
      : null,
    saved.state === "refused"
      ? button(t("orders.seen"), {
          image: "tick",
          kind: "second",
          does: async () => {
            await outbox.drop(saved.client_id);
            orders.read(app, app.at);
          },
        })
      : null,
  );
}

function askCancel(app, order) {
  ask({
    image: "stop",
    title: t("orders.cancel_title", { number: order.number }),
    text: t("orders.cancel_text", { total: money(order.total) }),
    choices: [
      [t("orders.cancel_no"), "back", () => {}, "second"],
      [
        t("orders.cancel_yes"),
        "tick",
        async () => {
          await app.attempt(() => door.cancel(seat.session, order.id));
          if (app.name === "orders") await orders.read(app, app.at);
          if (seat.session) app.learn().catch((problem) => app.overtaken(problem));
        },
      ],
    ],
  });
}

export const orders = {
  back: "home",
  draw(app, at) {
    if (!at.asked) {
      at.asked = true;
      orders.read(app, at);
    }
    const list = [...(at.kept ?? []).map((saved) => kept(app, saved)), ...(at.known ?? []).map((order) => known(app, order))];
    return [
      h("h1", {}, t("home.orders")),
      trouble(at.trouble),
      at.known && list.length === 0 ? note("parcel", t("orders.none")) : null,
      !at.known && !at.trouble ? h("p", { class: "lead" }, t("wait")) : null,
      h("ul", { class: "orders" }, list),
    ];
  },

  /** Read again what is here and what the server knows. A trouble of the last act stays in sight. */
  async read(app, at) {
    const { session, tag } = seat;
    at.kept = await outbox.of(tag);
    if (app.at === at) app.draw();
    try {
      at.known = await door.orders(session);
    } catch (problem) {
      if (!app.overtaken(problem)) at.trouble = told(problem);
    }
    if (app.at === at) app.draw();
  },
};
