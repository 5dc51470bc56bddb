// What the tablet keeps: its own token, the shelf, and orders that the server has not answered yet.
//
// No name, no number, no balance and no session of a person is ever written here.

const NAME = "tablet";
const VERSION = 1;
let opened = null;

function open() {
  opened ??= new Promise((done, failed) => {
    const request = indexedDB.open(NAME, VERSION);
    request.onupgradeneeded = () => {
      request.result.createObjectStore("facts");
      // The key is the order's own id: saving it a second time is impossible.
      request.result.createObjectStore("outbox", { keyPath: "client_id" });
    };
    request.onsuccess = () => done(request.result);
    request.onerror = () => failed(request.error);
  });
  return opened;
}

/** Run `work(transaction)` and resolve with what it returned once all of it is on the disk. */
async function inOne(stores, mode, work) {
  const database = await open();
  return new Promise((done, failed) => {
    const transaction = database.transaction(stores, mode, { durability: "strict" });
    let result;
    transaction.oncomplete = () => done(result instanceof IDBRequest ? result.result : result);
    transaction.onabort = () => failed(transaction.error);
    result = work(transaction);
  });
}

export const recall = (name) =>
  inOne(["facts"], "readonly", (all) => all.objectStore("facts").get(name));

export const keep = (name, value) =>
  inOne(["facts"], "readwrite", (all) => all.objectStore("facts").put(value, name));

export const forget = (name) =>
  inOne(["facts"], "readwrite", (all) => all.objectStore("facts").delete(name));

/** Return the orders in the outbox, oldest first. */
export async function unsent() {
  const rows = await inOne(["outbox"], "readonly", (all) => all.objectStore("outbox").getAll());
  return rows.sort((one, other) => one.sequence - other.sequence);
}

/**
 * Give the order the tablet's next sequence number and put it into the outbox, all in one
 * transaction. An order that is already there stays as it is and uses up no number.
 * instead: id of an order that leaves the outbox in the same step.
 */
export function post(order, { instead = null } = {}) {
  return inOne(["facts", "outbox"], "readwrite", (all) => {
    const facts = all.objectStore("facts");
    const outbox = all.objectStore("outbox");
    if (instead) outbox.delete(instead);
    outbox.getKey(order.client_id).onsuccess = ({ target: twin }) => {
      if (twin.result !== undefined) return;
      facts.get("sequence").onsuccess = ({ target: last }) => {
        const sequence = (last.result ?? 0) + 1;
        facts.put(sequence, "sequence");
        outbox.add({ ...order, sequence });
      };
    };
  });
}

export const repost = (order) =>
  inOne(["outbox"], "readwrite", (all) => all.objectStore("outbox").put(order));

export const discard = (clientId) =>
  inOne(["outbox"], "readwrite", (all) => all.objectStore("outbox").delete(clientId));
