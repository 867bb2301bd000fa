/* The worker: public pages for a bad link, an answer when there is none, and forms that stay.
   `C` stands before it, from worker.py: names, files and limits. Arrows are the one thing here that is newer than ES5:
   every browser that has workers has them.

   What may be kept is the server's word: exactly `no-cache`, with a validator (render.py). Nothing else is stored. */
var KEPT = 'foregate-kept', watching = {}, stale = {};
var nothing = () => {};
var find = what => caches.match(what, { ignoreVary: true });
var each = (rows, act) => rows.reduce((before, row) => before.then(() => act(row)), Promise.resolve());

/* Kept: the newest first, until the bytes or the entries are spent. A full phone is no reason to fail. */
var put = (url, response) => caches.open(KEPT).then(cache => cache.put(url, response).then(() => cache.keys()).then(keys => {
  var bytes = C.bytes, entries = C.entries;
  return each(keys.reverse(), key => cache.match(key).then(found => found.blob()).then(body => {
    if ((bytes -= body.size) < 0 || entries-- < 1) return cache.delete(key);
  }));
})).catch(nothing);

/* Another language, or larger print: what is kept in the old look would come as a surprise. */
var keep = (url, response) => {
  var said = name => response.headers.get(name), copy, look = said('foregate-look');
  if (response.ok && !response.redirected && said('cache-control') === 'no-cache' && said('etag')) {
    copy = response.clone();
    return find(url).then(old => old && old.headers.get('foregate-look') !== look && caches.delete(KEPT)).then(() => put(url, copy));
  }
};

/* A balancer that reaches nobody says so with 502 or 504. That is no answer of the bank's. */
var ask = (event, early) => Promise.resolve(early).then(response => response || fetch(event.request)).then(response => {
  if (/50[24]/.test(response.status)) throw response;
  return response;
});

var page = event => {
  var url = event.request.url, net = ask(event, event.preloadResponse).then(response => {
    event.waitUntil(keep(response.url, response));
    return response;
  });
  event.waitUntil(net.catch(nothing));
  return find(url).then(kept => new Promise(answer => {
    var instead = () => {
      if (kept) stale[event.resultingClientId] = 1;
      answer(kept || find('/offline'));
    };
    net.then(answer, instead);
    setTimeout(instead, kept ? C.race : C.patience);
  }));
};

/* A page that watches its form stays, with what was typed, and tries again. Any other gets what there is. What the page
   says may come a moment after its form. */
var form = event => {
  var stay = response => new Promise(done => setTimeout(done, 300)).then(() => {
    var page = watching[event.request.url];
    if (!page) return response.headers ? response : Response.error();
    page.postMessage({ again: response.headers && +response.headers.get('retry-after') });
    return new Response(null, { status: 204 });
  });
  return ask(event).then(response => response.status === 503 ? stay(response) : response, stay);
};

var file = event => find(event.request).then(kept => kept || fetch(event.request).then(response => {
  if (/immutable/.test(response.headers.get('cache-control'))) event.waitUntil(put(event.request.url, response.clone()));
  return response;
}));

var on = (name, act) => self.addEventListener(name, act);

on('install', event => {
  skipWaiting();
  /* The sign-in page, and the check of the network, if they may be kept: somebody signed in gets another page there. */
  event.waitUntil(caches.open(C.shell).then(cache => cache.addAll(C.files)).then(() => each(['/', '/network'], path =>
    fetch(path).then(response => keep(response.url, response)).catch(nothing))));
});
on('activate', event => event.waitUntil(caches.keys().then(names => each(names, name =>
  name !== C.shell && name !== KEPT && caches.delete(name)
)).then(() => registration.navigationPreload && registration.navigationPreload.enable()).then(() => clients.claim())));
on('fetch', event => {
  var request = event.request, origin = location.origin + '/', path = request.url.slice(origin.length), answer;
  if (request.url.indexOf(origin) || /^(console|demo|v1)\b/.test(path)) return;
  /* From our own pages alone: what another site posts goes to the server as it is, to be refused there. */
  if (request.mode === 'navigate') answer = request.method === 'GET' ? page : !request.referrer.indexOf(origin) && form;
  else if (/^s\//.test(path)) answer = file;
  if (answer) event.respondWith(answer(event));
});
on('message', event => {
  if (event.data.watch) watching[event.data.watch] = event.source;
  if (stale[event.source.id]) event.source.postMessage({ kept: 1 });
});
/* There is a link again: appointments that wait are sent by a page (outbox.js), for a code follows. */
on('sync', event => event.waitUntil(clients.matchAll().then(pages => each(pages, page => page.postMessage({ sync: 1 })))));
