// Who is sitting at the tablet now. Lives in memory only; leaving wipes it.

import * as store from "./store.js";

const nobody = () => ({
  session: null, // the token; whoever holds it acts as this person
  tag: "", // tells this person's unsent orders from another's, says nothing about who it is
  name: "", // masked by the server
  limit: null,
  basket: new Map(), // sku → quantity
  draft: null, // the id the basket's order will have: a second tap is the same order
});

export const seat = nobody();

/** Seat a person. */
export function take(session, tag) {
  Object.assign(seat, nobody(), { session, tag });
}

/** Forget the person. */
export function leave() {
  Object.assign(seat, nobody());
}

/**
 * Return a mark by which this tablet knows the same person again, for orders that wait here
 * while nobody is signed in. Keyed with a secret that cannot leave this browser, so that the mark
 * names nobody to a reader of the storage.
 */
export async function tagOf(number) {
  let key = await store.recall("key");
  if (!key) {
    key = await crypto.subtle.generateKey({ name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
    await store.keep("key", key);
  }
  const plain = new TextEncoder().encode(number.replace(/[\s-]/g, "").toUpperCase());
  const mark = new Uint8Array(await crypto.subtle.sign("HMAC", key, plain));
  return Array.from(mark.slice(0, 16), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Return the lines of the basket with their products, in the order they were put in. */
export function lines(shelf) {
  return [...seat.basket]
    .map(([sku, quantity]) => ({ product: shelf.products.find((one) => one.sku === sku), quantity }))
    .filter((line) => line.product);
}

/** Add up lines in fen; with `counted` only what counts against the limit. */
export function total(some, { counted = false } = {}) {
  return some
    .filter(({ product }) => !counted || !product.outside_limit)
    .reduce((sum, { product, quantity }) => sum + product.price * quantity, 0);
}

/** Set how many of a product are wanted. */
export function want(sku, quantity) {
  if (quantity > 0) seat.basket.set(sku, quantity);
  else seat.basket.delete(sku);
}
