// What became of an order: kept here, sent, or a question about it.

import * as outbox from "../outbox.js";
import { button, h, icon } from "../paint.js";
import { seat } from "../seat.js";
import { told } from "../told.js";
import { money, named, t } from "../words.js";
import { counted, note, trouble } from "./parts.js";

/** Kept → sent, by itself, in the plainest words: never "sent" before the server has answered. */
export const sent = {
  draw(app, at) {
    const answer = outbox.answerTo(at.id);
    const [kind, image, title, text] = states(app, at, answer);
    return [
      h(
        "div",
        { class: `outcome ${kind}` },
        icon(image, "", "giant"),
        h("h1", {}, title),
        answer.state === "sent"
          ? h("p", { class: "number" }, t("sent.number"), " ", h("strong", {}, answer.order.number))
          : null,
        h("p", { class: "lead" }, text),
      ),
      at.pictures ? h("ul", { class: "pictures small" }, at.pictures.map(counted)) : null,
      h(
        "div",
        { class: "choices" },
        answer.state === "refused"
          ? button(t("sent.change"), { image: "basket", does: () => takeBack(app, at) })
          : button(t("home.orders"), { image: "parcel", kind: "second", does: () => app.go("orders") }),
        button(t("sent.home"), {
          image: "home",
          kind: answer.state === "refused" ? "second" : "",
          does: () => leaveIt(app, at, answer),
        }),
      ),
    ];
  },

  /** The order's state has changed while this screen shows it. */
  async changed(app, at) {
    const answer = outbox.answerTo(at.id);
    if (answer.state === "question") {
      const saved = (await outbox.of(seat.tag)).find((one) => one.client_id === at.id);
      // The new shelf has the new prices; without network the question has them as well.
      await app.restock().catch(() => {});
      if (saved && app.at === at) app.go("question", { saved });
      return;
    }
    app.draw();
    const [, , title] = states(app, at, answer);
    app.say(title);
    if (answer.state === "sent") app.learn().catch((problem) => app.overtaken(problem));
  },
};

function states(app, at, answer) {
  if (answer.state === "sent") {
    const sum = answer.order.total ?? at.total;
    return ["good", "sent", t("sent.title"), t("sent.text", { total: money(sum) })];
  }
  if (answer.state === "refused") {
    const { image, sentence } = told(answer.trouble);
    return ["bad", image, t("sent.refused"), sentence];
  }
  if (answer.state === "sending" && app.reached) {
    return ["wait", "tablet", t("sent.kept"), t("sent.sending")];
  }
  return ["warn", "offline", t("sent.kept"), t("sent.offline")];
}

/** A refused order goes back into the basket, to be made smaller. */
async function takeBack(app, at) {
  for (const { product, quantity } of at.pictures ?? []) seat.basket.set(product.sku, quantity);
  await outbox.drop(at.id);
  app.go("basket");
}

async function leaveIt(app, at, answer) {
  if (answer.state === "refused") await outbox.drop(at.id);
  app.go("home");
}

/** The price has changed: old and new side by side, and three ways on. Nothing is set aside yet. */
export const question = {
  back: "home",
  draw(app, at) {
    const { saved } = at;
    const changes = saved.changes.map((change) => ({
      ...change,
      product: saved.lines.find(({ sku }) => sku === change.sku),
    }));
    const others = saved.lines.filter((line) => !saved.changes.some(({ sku }) => sku === line.sku));
    const gone = changes.some(({ price }) => price === null);
    return [
      h("h1", {}, t(gone ? "question.gone" : "question.title")),
      h("p", { class: "lead" }, t("question.text")),
      trouble(at.trouble),
      h(
        "ul",
        { class: "changes" },
        changes.map(({ product, shown, price }) =>
          h(
            "li",
            { class: "change" },
            counted({ product, quantity: product.quantity, as: "div" }),
            h("div", { class: "old" }, h("span", {}, t("question.old")), h("s", {}, money(shown))),
            icon("next"),
            price === null
              ? h("div", { class: "new" }, icon("stop", "", "big"), h("strong", {}, t("shop.gone")))
              : h("div", { class: "new" }, h("span", {}, t("question.new")), h("strong", {}, money(price))),
          ),
        ),
      ),
      h(
        "div",
        { class: "choices" },
        gone
          ? null
          : button(t("question.accept"), { image: "tick", off: at.busy, does: () => accept(app, at) }),
        others.length
          ? button(t("question.without"), {
              image: "minus",
              kind: gone ? "" : "second",
              off: at.busy,
              does: () => again(app, at, others),
            })
          : null,
        button(t("question.cancel"), { image: "stop", kind: "second", off: at.busy, does: () => giveUp(app, at) }),
      ),
    ];
  },
};

const accept = (app, at) =>
  again(
    app,
    at,
    at.saved.lines.map((line) => {
      const change = at.saved.changes.find(({ sku }) => sku === line.sku);
      return change ? { ...line, shown_price: change.price } : line;
    }),
  );

/** The answer is a new order of its own; the one that was asked about leaves in the same step. */
async function again(app, at, lines) {
  await app.attempt(async () => {
    const id = crypto.randomUUID();
    const { client_id: instead, tag } = at.saved;
    await outbox.save(
      {
        client_id: id,
        tag,
        catalogue_version: app.shelf.catalogue_version,
        placed_at: new Date().toISOString(),
        lines,
      },
      { instead },
    );
    app.go("sent", {
      id,
      total: lines.reduce((sum, line) => sum + line.shown_price * line.quantity, 0),
      pictures: lines.map((line) => ({ product: line, quantity: line.quantity })),
    });
  });
}

async function giveUp(app, at) {
  await outbox.drop(at.saved.client_id);
  app.go("home");
}
