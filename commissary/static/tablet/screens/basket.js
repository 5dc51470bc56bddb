// The basket, and the last look before ordering.

import * as outbox from "../outbox.js";
import { button, h, icon, picture } from "../paint.js";
import { lines, seat, total, want } from "../seat.js";
import { date, money, named, t } from "../words.js";
import { bar, counted, counter, covered, dots, note, trouble } from "./parts.js";

/** What is left under the limit of the period, in a bar and in words. */
export function limit(chosen = []) {
  const { limit: known } = seat;
  if (!known) return null;
  const wanted = total(chosen, { counted: true });
  const left = known.room - wanted;
  const label =
    left >= 0
      ? t("limit.left", { left: money(left), limit: money(known.amount) })
      : t("limit.over", { over: money(-left), limit: money(known.amount) });
  return [
    bar(label, known.amount - left, known.amount, left < 0),
    h("p", { class: "small" }, t("limit.text", { begins: date(known.begins_on), next: date(known.next_on) })),
    h("p", { class: "small" }, t("limit.orders", { count: known.orders_left })),
  ];
}

const isOver = (chosen) =>
  Boolean(seat.limit) && total(chosen, { counted: true }) > seat.limit.room;

function row(app, { product, quantity }) {
  const set = (wanted) => {
    want(product.sku, wanted);
    app.draw();
    app.say(t("shop.said", { name: named(product), quantity: wanted }));
  };
  const full = quantity >= product.max_per_order;
  return h(
    "li",
    { class: "row" },
    picture(product),
    h(
      "div",
      { class: "what" },
      h("h2", {}, named(product)),
      h("p", {}, `${money(product.price)} × ${quantity}`),
      dots(quantity, product.max_per_order),
    ),
    counter(product, quantity, {
      set,
      most: product.max_per_order,
      why: full ? t("shop.most", { most: product.max_per_order }) : "",
    }),
    h("strong", { class: "amount" }, money(product.price * quantity)),
  );
}

/** What was chosen, what it comes to, and what is left after it. */
export const basket = {
  back: "categories",
  draw(app, at) {
    const chosen = lines(app.shelf);
    if (chosen.length === 0) {
      return [h("h1", {}, t("basket.title")), icon("basket", "", "huge"), h("p", { class: "lead" }, t("basket.empty"))];
    }
    const sum = total(chosen);
    const over = isOver(chosen);
    return [
      h("h1", {}, t("basket.title")),
      trouble(at.trouble),
      h(
        "div",
        { class: "pair wide" },
        h(
          "ul",
          { class: "rows" },
          chosen.map((line) => row(app, line)),
        ),
        h(
          "div",
          { class: "sum" },
          h("p", { class: "total" }, t("basket.total"), " ", h("strong", { class: "amount" }, money(sum))),
          covered(app, { label: t("basket.after"), amount: (balance) => balance - sum }),
          app.balance !== null && app.balance < sum ? note("purse", t("basket.short"), "bad") : null,
          limit(chosen),
          over ? note("limit", t("basket.over"), "bad") : null,
          button(t("basket.check"), {
            image: "next",
            key: "check",
            kind: "wide",
            off: over,
            does: () => {
              seat.draft ??= crypto.randomUUID();
              // What is looked at is what is ordered, also when the shelf changes meanwhile.
              const { catalogue_version } = app.shelf;
              app.go("confirm", { id: seat.draft, chosen, catalogue_version });
            },
          }),
        ),
      ),
    ];
  },
};

/** The last look: pictures with numbers, and the total. */
export const confirm = {
  back: "basket",
  draw(app, at) {
    const { chosen } = at;
    return [
      h("h1", {}, t("confirm.title")),
      trouble(at.trouble),
      h("ul", { class: "pictures" }, chosen.map(counted)),
      h("p", { class: "total huge" }, t("basket.total"), " ", h("strong", { class: "amount" }, money(total(chosen)))),
      note("hand", t("confirm.text")),
      h(
        "div",
        { class: "choices" },
        button(t("confirm.back"), { image: "back", kind: "second", does: () => app.back() }),
        button(at.busy ? t("wait") : t("confirm.yes"), {
          image: "tick",
          key: "yes",
          off: at.busy,
          does: () => place(app, at),
        }),
      ),
    ];
  },
};

/** One line of the envelope, with what is needed to show it again without the shelf. */
const wish = ({ sku, price, name_zh, name_en, picture: seen }, quantity) => ({
  sku,
  quantity,
  shown_price: price,
  name_zh,
  name_en,
  picture: seen,
});

/** Put the basket into the outbox under the id it has had since the check; show what becomes of it. */
async function place(app, { id, chosen, catalogue_version }) {
  await app.attempt(async () => {
    await outbox.save({
      client_id: id,
      tag: seat.tag,
      catalogue_version,
      placed_at: new Date().toISOString(),
      lines: chosen.map(({ product, quantity }) => wish(product, quantity)),
    });
    seat.basket.clear();
    seat.draft = null;
    app.go("sent", { id, total: total(chosen), pictures: chosen });
  });
}
