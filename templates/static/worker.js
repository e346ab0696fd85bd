// Runs beside the pages of the console: where a page cannot be had it shows one that says so, and it
// is what a notification of ours leads back from. It keeps that one page and its style and script,
// and nothing else: no page of a case, no answer, no name is ever put into its cache.

const KEPT = "no-connection";
const PAGE = "/no-connection";
const OLD = 12 * 3600 * 1000; // ms after which the kept page is asked for anew
let keptAt = 0;

async function keep() {
  const page = await fetch(PAGE, { credentials: "omit", cache: "no-store" });
  if (!page.ok) return;
  const text = await page.clone().text();
  const files = [...text.matchAll(/(?:href|src)="(\/static\/[^"]+)"/g)].map((found) => found[1]);
  const cache = await caches.open(KEPT);
  for (const old of await cache.keys()) {
    const { pathname, search } = new URL(old.url);
    if (!files.includes(pathname + search)) await cache.delete(old);
  }
  await cache.put(PAGE, page);
  await cache.addAll(files);
  keptAt = Date.now();
}

async function visit(event) {
  try {
    const answer = await fetch(event.request);
    if (answer.status === 502 || answer.status === 504) return (await kept(PAGE)) ?? answer;
    if (Date.now() - keptAt > OLD) event.waitUntil(keep().catch(() => {}));
    return answer;
  } catch (problem) {
    const page = await kept(PAGE);
    if (page) return page;
    throw problem;
  }
}

async function kept(address) {
  return (await caches.open(KEPT)).match(address);
}

self.addEventListener("install", (event) => {
  self.skipWaiting();
  event.waitUntil(keep());
});

self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET") return;
  if (request.mode === "navigate") return event.respondWith(visit(event));
  const isFile = new URL(request.url).pathname.startsWith("/static/");
  if (isFile) event.respondWith(fetch(request).catch(async () => (await kept(request)) ?? Response.error()));
});

// Back to the console: to a page of it that is open already, else to whatever is first.
self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(
    (async () => {
      const pages = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
      const open = pages.find((one) => ["/inbox", "/complaints"].includes(new URL(one.url).pathname));
      return open ? open.focus() : self.clients.openWindow("/");
    })(),
  );
});
