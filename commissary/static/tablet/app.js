// The tablet: one screen at a time, no addresses, no history, nothing of a person left behind.

import * as door from "./door.js";
import * as idle from "./idle.js";
import * as outbox from "./outbox.js";
import * as store from "./store.js";
import { ask, close } from "./over.js";
import { fill } from "./paint.js";
import { leave, seat, tagOf, take } from "./seat.js";
import { screens } from "./screens/all.js";
import { told } from "./told.js";
import { top } from "./top.js";
import * as voice from "./voice.js";
import { language, load, speak, t } from "./words.js";

const PULSE_MS = 15_000;
const REVEAL_MS = 10_000;

const screenAt = document.getElementById("screen");
const topAt = document.getElementById("top");
const newsAt = document.getElementById("news");

export const app = {
  device: null, // {token, cell}
  shelf: null,
  reached: true, // did the server answer the last call
  unsent: 0,
  balance: null, // fen, only while it is uncovered
  name: "",
  at: {}, // what the present screen remembers

  /** Show another screen; `at` is what it starts from. */
  go(name, at = {}) {
    app.cover();
    voice.hush();
    app.name = name;
    app.at = at;
    app.draw();
    const heading = screenAt.querySelector("h1");
    document.title = heading.textContent;
    heading.tabIndex = -1;
    heading.focus({ preventScroll: true });
    window.scrollTo(0, 0);
  },

  /** Draw the present screen again. */
  draw() {
    const screen = screens[app.name];
    document.body.dataset.screen = app.name;
    fill(topAt, top(app, screen));
    fill(screenAt, screen.draw(app, app.at));
  },

  /** Go where "back" leads from here. */
  back() {
    const { back } = screens[app.name];
    if (typeof back === "function") app.go(...back(app.at));
    else if (back) app.go(back);
  },

  /** Speak another language, here and to the server. */
  speak(code) {
    speak(code);
    door.speakTo(code);
    app.draw();
    document.title = screenAt.querySelector("h1").textContent;
  },

  /** Tell a screen reader what happened without moving the focus. */
  say(sentence) {
    newsAt.textContent = sentence;
  },

  /**
   * Run `work` for the present screen: one at a time, its trouble shown on that screen.
   * Returns what `work` returned, or undefined when there was trouble.
   */
  async attempt(work) {
    const at = app.at;
    if (at.busy) return undefined;
    at.busy = true;
    at.trouble = null;
    app.draw();
    try {
      return await work();
    } catch (trouble) {
      if (!app.overtaken(trouble)) at.trouble = told(trouble);
      return undefined;
    } finally {
      at.busy = false;
      if (app.at === at) app.draw();
      if (at.trouble) screenAt.querySelector("[role=alert]")?.scrollIntoView({ block: "nearest" });
    }
  },

  /** Tell whether the trouble ended the visit or shut the tablet, and show that instead. */
  overtaken(trouble) {
    if (!(trouble instanceof door.Refused)) return false;
    if (trouble.code === "device_unknown") {
      shut();
      return true;
    }
    if (trouble.code === "sign_in_needed" && seat.session) {
      app.signOut({ trouble: told(trouble) });
      return true;
    }
    return false;
  },

  /** Enrol this tablet with the officer's code. */
  async enrol(code) {
    app.device = await door.enrol(code);
    await store.keep("device", app.device);
    door.actAs(app.device.token);
    // Asks the browser not to clear what is kept here when space runs short.
    navigator.storage?.persist?.();
    await app.restock();
    app.go("number");
  },

  /** Sign a person in. What others left to be sent goes out first: signing in ends their session. */
  async signIn(number, pin) {
    await outbox.drain();
    const session = await door.signIn(number, pin);
    take(session, await tagOf(number));
    outbox.admit(seat.tag, session);
    idle.touch();
    await Promise.allSettled([app.restock(), app.learn()]);
    outbox.drain();
    if (seat.session === session) app.go("home");
  },

  /** Forget the person and go back to the sign-in. */
  signOut(at = {}) {
    const { tag } = seat;
    app.cover();
    close();
    leave();
    if (tag) outbox.dismiss(tag).then(count);
    app.speak(at.language ?? language());
    app.go("number", at);
    renew();
  },

  /** Fetch the shelf if it has changed. */
  async restock() {
    const fresh = await door.shelf(app.shelf?.etag);
    if (!fresh) return;
    app.shelf = fresh;
    await store.keep("shelf", fresh);
  },

  /** Learn the person's masked name and limits. The balance in the answer is not kept. */
  async learn() {
    const { name, limit } = await door.me(seat.session);
    Object.assign(seat, { name, limit });
  },

  /** Show the balance for ten seconds. */
  async reveal() {
    const { session } = seat;
    await app.attempt(async () => {
      const { name, limit, balance } = await door.me(session);
      if (seat.session !== session) return;
      Object.assign(seat, { name, limit });
      app.balance = balance;
      clearTimeout(app.covering);
      app.covering = setTimeout(() => {
        app.cover();
        app.draw();
      }, REVEAL_MS);
    });
  },

  /** Hide the balance and drop it. */
  cover() {
    clearTimeout(app.covering);
    app.balance = null;
  },
};

/** The server does not know this tablet any more: keep what is unsent, offer to enrol again. */
async function shut() {
  leave();
  app.device = null;
  door.actAs(null);
  await store.forget("device");
  app.go("shut");
}

async function count() {
  const before = app.unsent;
  app.unsent = await outbox.count();
  if (app.unsent !== before) app.draw();
}

/** Look whether the server is there, send what waits, and look again later. */
async function pulse() {
  if (document.visibilityState === "visible" && app.device) {
    if (await door.probe()) await outbox.drain();
  }
  setTimeout(pulse, PULSE_MS);
}

function reachable(reached) {
  if (reached === app.reached) return;
  app.reached = reached;
  app.say(t(reached ? "net.back" : "net.gone"));
  app.draw();
}

async function orderChanged(clientId) {
  await count();
  if (app.name === "sent" && app.at.id === clientId) await screens.sent.changed(app, app.at);
  if (["home", "orders"].includes(app.name)) await screens[app.name].read(app, app.at);
}

function stage(now) {
  // Amounts of every kind vanish from a tablet left lying, not only the balance.
  document.body.classList.toggle("hushed", now !== "back");
  if (now === "hide" && app.balance !== null) {
    app.cover();
    app.draw();
  }
  if (!seat.session) {
    // Half a number must not be left for the next person, nor another's language.
    if (now === "leave" && app.name !== "enrol" && app.device) {
      app.speak("zh-Hans");
      app.go("number");
    }
    return;
  }
  if (now === "warn") {
    ask({
      image: "clock",
      title: t("idle.title"),
      text: t("idle.text"),
      choices: [[t("idle.stay"), "tick", idle.touch]],
      closing: idle.touch,
    });
  }
  if (now === "leave") app.signOut({ language: "zh-Hans" });
}

/** A new version of the page takes over only while nobody is ordering and nothing is unsent. */
async function renew() {
  const found = await navigator.serviceWorker?.getRegistration(document.body.dataset.worker);
  if (found?.waiting && !seat.session && (await outbox.count()) === 0) {
    navigator.serviceWorker.addEventListener("controllerchange", () => location.reload());
    found.waiting.postMessage("take-over");
  }
}

async function start() {
  const query = new URLSearchParams(location.search + location.hash.replace("#", "&"));
  const code = (query.get("code") ?? "").toUpperCase().replace(/[^0-9A-Z]/g, "");
  // The code works once; it must not stay in the address either.
  if (location.search || location.hash) history.replaceState(null, "", location.pathname);
  await load();
  speak(query.get("language") ?? "");
  door.speakTo(language());
  if (!window.isSecureContext) {
    app.go("insecure");
    return;
  }
  navigator.serviceWorker?.register(document.body.dataset.worker).then(renew, () => {});
  app.device = (await store.recall("device")) ?? null;
  app.shelf = (await store.recall("shelf")) ?? null;
  door.actAs(app.device?.token ?? null);
  door.watch(reachable);
  outbox.watch(orderChanged, shut);
  voice.watch(() => app.draw());
  app.go(app.device ? "number" : "enrol", { code });
  await count();
  idle.watch(stage);
  window.addEventListener("online", () => door.probe().then((there) => there && outbox.drain()));
  window.addEventListener("offline", () => reachable(false));
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") outbox.drain();
  });
  // The tablet's own back key: one step back here instead of away from the page.
  history.pushState(null, "");
  window.addEventListener("popstate", () => {
    history.pushState(null, "");
    app.back();
  });
  if (app.device) app.restock().catch((trouble) => app.overtaken(trouble));
  pulse();
}

start();
