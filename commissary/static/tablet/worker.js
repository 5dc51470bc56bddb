// The service worker: keeps the page, its scripts and the pictures, so that the tablet opens
// without network. The server writes VERSION and FILES in front of this text.
//
// Nothing under /api/ passes through here: what belongs to a person is never kept.

const KEPT = `tablet-${VERSION}`;

self.addEventListener("install", (event) => {
  // `reload` goes past the browser's own cache: an old file must not enter a new version.
  const fresh = FILES.map((address) => new Request(address, { cache: "reload" }));
  event.waitUntil(caches.open(KEPT).then((cache) => cache.addAll(fresh)));
});

self.addEventListener("activate", (event) => {
  event.waitUntil(
    (async () => {
      for (const name of await caches.keys()) {
        if (name.startsWith("tablet-") && name !== KEPT) await caches.delete(name);
      }
      await self.clients.claim();
    })(),
  );
});

// A new version waits until the page says that nobody is ordering and nothing is unsent.
self.addEventListener("message", (event) => {
  if (event.data === "take-over") self.skipWaiting();
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const address = new URL(request.url);
  if (request.method !== "GET" || address.origin !== self.location.origin) return;
  if (!FILES.includes(address.pathname)) return;
  event.respondWith(
    caches
      .open(KEPT)
      .then((cache) => cache.match(address.pathname))
      .then((kept) => kept ?? fetch(request)),
  );
});
