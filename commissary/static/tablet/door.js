// The one place that talks to the server and knows the shape of its answers.

const ROOT = "/api/tablet/";
const PATIENCE_MS = 15_000;

/** A refusal of the server: `code` for the program, `sentence` for the person. */
export class Refused extends Error {
  constructor(status, problem) {
    super(problem.code ?? String(status));
    this.status = status;
    this.code = problem.code ?? "";
    this.sentence = problem.detail ?? problem.title ?? "";
    this.facts = problem.facts ?? {};
  }
}

/** The server could not be reached, or did not answer in time: what it did is not known. */
export class Unreachable extends Error {}

let deviceToken = null;
let spoken = "zh-Hans";
let seen = () => {};

/** Name the tablet in every later call. */
export const actAs = (token) => {
  deviceToken = token;
};

/** Ask for refusals in this language. */
export const speakTo = (language) => {
  spoken = language;
};

/** Have `listener(reached)` called after every call: whether the server was there. */
export const watch = (listener) => {
  seen = listener;
};

async function call(method, path, { session = null, body, etag = "", token = deviceToken, plain = false } = {}) {
  const headers = { "Accept-Language": spoken };
  if (token) headers.Authorization = `Bearer ${token}`;
  if (session) headers["X-Tablet-Session"] = session;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (etag) headers["If-None-Match"] = etag;
  let answer;
  let text;
  try {
    answer = await fetch(path.startsWith("/") ? path : ROOT + path, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      cache: "no-store",
      credentials: "omit",
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    text = await answer.text();
  } catch {
    seen(false);
    throw new Unreachable();
  }
  const said = plain ? (text.startsWith("ok") ? {} : null) : read(text);
  // A gateway in between answers in its own words when the server itself is away: 5xx without our
  // problem, or a page of its own where JSON was asked for.
  if (said === null || (answer.status >= 500 && !said.code)) {
    seen(false);
    throw new Unreachable();
  }
  seen(true);
  if (answer.ok || answer.status === 304) return { data: said, answer };
  throw new Refused(answer.status, said);
}

/** Return the answer's JSON, {} for an empty one, null for anything else. */
function read(text) {
  if (!text.trim()) return {};
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Ask a small address whether the server is there; `navigator.onLine` does not know. */
export async function probe() {
  try {
    await call("GET", "/healthz", { token: null, plain: true });
    return true;
  } catch {
    return false;
  }
}

/** Turn the officer's one-time code into this tablet's token; returns {token, cell}. */
export async function enrol(code) {
  const { data } = await call("POST", "enrol", { body: { code }, token: null });
  return { token: data.token, cell: data.cell };
}

/** Sign a person in; returns the session's token. */
export async function signIn(number, pin) {
  const { data } = await call("POST", "sign-in", { body: { number, pin } });
  return data.session;
}

export const signOut = (session) => call("POST", "sign-out", { session });

/** Return {shelf, etag}, or null when the shelf is still the one that carries `etag`. */
export async function shelf(etag) {
  const { data, answer } = await call("GET", "shelf", { etag });
  return answer.status === 304 ? null : { ...data, etag: answer.headers.get("ETag") ?? "" };
}

/** Return the person's masked name, limits and balance. The balance is for showing, not keeping. */
export async function me(session) {
  return (await call("GET", "me", { session })).data;
}

/** Send one order as the envelope it was saved as; returns the order. */
export async function order(session, saved) {
  const { client_id, sequence, catalogue_version, placed_at } = saved;
  const lines = saved.lines.map(({ sku, quantity, shown_price }) => ({ sku, quantity, shown_price }));
  const body = { client_id, sequence, catalogue_version, placed_at, lines };
  return (await call("POST", "orders", { session, body })).data;
}

export async function orders(session) {
  return (await call("GET", "orders", { session })).data.orders;
}

export async function cancel(session, id) {
  return (await call("POST", `orders/${id}/cancel`, { session, body: {} })).data;
}

/**
 * Return the changed prices of a refused order as [{sku, shown, price}], price null for what is no
 * longer sold; null when the refusal is about something else.
 */
export function newPrices(refused) {
  if (refused.code !== "needs_confirmation") return null;
  return refused.facts.changes.map(({ sku, shown_price, price }) => ({
    sku,
    shown: shown_price,
    price: price ?? null,
  }));
}
