// Orders on their way: kept first, sent then, and kept until the server has answered.
//
// Sending again is harmless: the server knows an order by its client id and answers the same.
// An order is only ever sent with the session of the person who made it.

import * as door from "./door.js";
import * as store from "./store.js";

const FIRST_WAIT_MS = 5_000;
const LONGEST_WAIT_MS = 60_000;

const sessions = new Map(); // tag → {token, leaving}: who may still send from here
const answers = new Map(); // client id → what became of it, for the person who is looking
let changed = () => {};
let lost = () => {};
let wait = FIRST_WAIT_MS;
let timer = null;
let coming = null; // the drain that has not begun yet

/** Have `news(clientId)` called when an order's state changes, `gone()` when the tablet is shut. */
export function watch(news, gone) {
  changed = news;
  lost = gone;
}

/** Let this person's orders be sent. */
export function admit(tag, token) {
  sessions.set(tag, { token, leaving: false });
}

/** The person has left: send what is unsent, then end the session on the server too. */
export function dismiss(tag) {
  const held = sessions.get(tag);
  if (held) held.leaving = true;
  answers.clear();
  return drain();
}

/** Save an order and start sending it. Returns when it is safely on this tablet. */
export async function save(order, options = {}) {
  await store.post({ ...order, state: "waiting" }, options);
  if (!answers.has(order.client_id)) tell(order.client_id, { state: "waiting" });
  drain();
}

/** Tell what became of an order that was saved here since the person sat down. */
export const answerTo = (clientId) => answers.get(clientId) ?? { state: "waiting" };

/** Return the orders of one person that the server has not taken. */
export async function of(tag) {
  return (await store.unsent()).filter((saved) => saved.tag === tag);
}

/** Return when the oldest unsent order was made, or null. */
export async function oldest() {
  return (await store.unsent()).find((saved) => saved.state === "waiting")?.placed_at ?? null;
}

/** Count the orders on this tablet that still have to be sent. */
export async function count() {
  return (await store.unsent()).filter((saved) => saved.state === "waiting").length;
}

/** Take an order out that was refused, or that its owner gave up. */
export async function drop(clientId) {
  await store.discard(clientId);
  answers.delete(clientId);
  changed(clientId);
}

/** Send what can be sent, one after the other; two tabs never send at once. */
export function drain() {
  coming ??= navigator.locks.request("outbox", async () => {
    coming = null;
    clearTimeout(timer);
    if (await sendAll()) {
      wait = FIRST_WAIT_MS;
    } else {
      timer = setTimeout(drain, wait);
      wait = Math.min(wait * 2, LONGEST_WAIT_MS);
    }
  });
  return coming;
}

/** Returns false when something is left that should be tried again. */
async function sendAll() {
  for (const saved of await store.unsent()) {
    const held = sessions.get(saved.tag);
    if (saved.state !== "waiting" || !held) continue;
    if (!(await send(saved, held.token))) return false;
  }
  for (const [tag, held] of sessions) {
    if (held.leaving && !(await end(tag, held.token))) return false;
  }
  return true;
}

async function send(saved, session) {
  tell(saved.client_id, { state: "sending" });
  try {
    const order = await door.order(session, saved);
    await store.discard(saved.client_id);
    tell(saved.client_id, { state: "sent", order });
    return true;
  } catch (trouble) {
    return await answered(saved, trouble);
  }
}

async function answered(saved, trouble) {
  if (!(trouble instanceof door.Refused)) {
    tell(saved.client_id, { state: "waiting" });
    if (!(trouble instanceof door.Unreachable)) throw trouble;
    return false;
  }
  if (trouble.status === 429 || trouble.status >= 500) {
    tell(saved.client_id, { state: "waiting" });
    return false;
  }
  if (trouble.code === "sign_in_needed") {
    // The order stays; it is sent when its owner signs in again.
    sessions.delete(saved.tag);
    tell(saved.client_id, { state: "waiting" });
    return true;
  }
  if (trouble.code === "device_unknown") {
    tell(saved.client_id, { state: "waiting" });
    lost();
    return true;
  }
  const asked = door.newPrices(trouble);
  const state = asked ? "question" : "refused";
  // The sentence may name amounts of the person: it stays in memory, the code is enough to keep.
  await store.repost({ ...saved, state, code: trouble.code, changes: asked });
  tell(saved.client_id, { state, changes: asked, trouble });
  return true;
}

async function end(tag, token) {
  try {
    await door.signOut(token);
  } catch (trouble) {
    if (!(trouble instanceof door.Refused)) return false;
  }
  // Somebody may have signed in again with the same number meanwhile: that session stays.
  if (sessions.get(tag)?.token === token) sessions.delete(tag);
  return true;
}

function tell(clientId, answer) {
  answers.set(clientId, answer);
  changed(clientId);
}
