/* Appointments that wait on this device for a link (offline.js). A code follows, so somebody has to be looking. Comes after
   link.js, where some wait. ES5. */
(function () {
  'use strict';
  var here = window.foregate, main = document.getElementById('main');
  var delivering, shown = {}, changed = function () { if (here.changed) here.changed(); };
  function box(act, done) {
    var open = indexedDB.open('foregate', 1);
    open.onupgradeneeded = function () { open.result.createObjectStore('wishes', { keyPath: 'key' }); };
    open.onsuccess = function () {
      var work = open.result.transaction('wishes', 'readwrite'), asked = act(work.objectStore('wishes'));
      work.oncomplete = function () { open.result.close(); done(asked.result); };
    };
  }
  /* What link.js looks for on every page, so that this is loaded where something waits and nowhere else. */
  function note(rows) {
    try { if (rows.length) localStorage.setItem('wishes', '1'); else localStorage.removeItem('wishes'); } catch (blocked) {}
  }
  function drop(row) { box(function (store) { return store['delete'](row.key); }, changed); }
  function deliver() {
    if (delivering || navigator.onLine === false) return;
    delivering = 1;
    box(function (store) { return store.getAll(); }, function (rows) {
      note(rows);
      (function next() {
        var row = rows.shift(), told = row && row.told;
        if (!row) { delivering = 0; changed(); return; }
        if (new Date().getTime() > row.until || told && location.href.indexOf(told.ways[0].href) > 0) drop(row);
        else if (told) answer(row);
        else { post(row, next); return; }
        next();
      }());
    });
  }
  function post(row, next) {
    var request = new XMLHttpRequest(), pairs = [], name;
    for (name in row.wish) pairs.push(name + '=' + encodeURIComponent(row.wish[name]));
    request.open('POST', '/book-appointment/wish');
    request.setRequestHeader('Content-Type', 'application/x-www-form-urlencoded');
    request.timeout = here.patience * 1000;
    request.onloadend = function () {
      var answered = { key: row.key, until: new Date().getTime() + 864e5 };
      try { answered.told = request.status === 200 && JSON.parse(request.responseText); } catch (portal) {}
      if (!answered.told) { next(); return; }
      /* Answered: number and name leave the device. */
      box(function (store) { return store.put(answered); }, function () {
        answer(answered);
        next();
      });
    };
    request.send(pairs.join('&'));
  }
  function answer(row) {
    if (shown[row.key]) return;
    shown[row.key] = 1;
    var card = document.createElement('section'), line = here.make('p', '', card);
    card.className = 'card good';
    card.setAttribute('role', 'status');
    row.told.ways.forEach(function (way, place) {
      var go = here.make('a', way.text, card);
      go.className = place ? 'go plain' : 'go';
      go.href = way.href;
    });
    main.insertBefore(card, main.firstChild);
    line.textContent = row.told.text;
  }

  here.box = box;
  here.note = note;
  here.deliver = deliver;
  deliver();
}());
