/* For a bad link: what is not answered is asked again, counted down; public pages are kept by a worker; appointments that
   waited are sent. Comes after script.js, when there is time. ES5. */
(function () {
  'use strict';
  var here = window.foregate, all = here.all, on = here.on, countdown = here.countdown, page = document.body;

  /* ---- What is not answered is asked again, counted down, so many times. */
  var TRIES = 5, SLOW = 5, PATIENCE = 20, UPLOAD = 120; /* seconds */
  var WORDS = {}; /* in the language of the page, by assets.py */
  var main = document.getElementById('main'), link = document.getElementById('link') || make('div', '', main);
  var says = make('p', '', link), more = make('div', '', link), ticker = make('p', '', more);
  var button = make('button', WORDS.again, more), wait = +link.getAttribute('data-wait');
  var tries = (wait && history.state || {}).tries || 0, timers = [], halt, retry, sent, tapped;

  link.id = 'link';
  says.setAttribute('role', 'status');
  ticker.className = 'hint last';
  button.type = 'button';
  button.className = 'plain';
  make('a', WORDS.check, make('p', '', more)).href = '/network';
  more.lastChild.className = 'more';
  more.hidden = true;

  function make(name, text, parent) {
    var made = parent.appendChild(document.createElement(name));
    made.textContent = text;
    return made;
  }
  function later(act, seconds) { timers.push(setTimeout(act, seconds * 1000)); }
  function settle() {
    while (timers.length) clearTimeout(timers.pop());
    if (halt) halt();
    halt = null;
  }
  /* Says `name`, and does `act` in a while: longer each time, and never all phones at once. */
  function again(name, act, seconds) {
    settle();
    sent = null;
    retry = function () {
      settle();
      says.textContent = WORDS.now;
      ticker.textContent = '';
      act();
    };
    more.hidden = false;
    ticker.textContent = '';
    says.textContent = WORDS[tries < TRIES ? name : 'over'];
    if (tries++ < TRIES) {
      halt = countdown(Math.ceil((seconds || 1.5 * Math.pow(2, tries)) * (1 + Math.random() / 3)), function (left) {
        ticker.textContent = WORDS.in.replace('#', left);
      }, retry);
    }
  }
  function reload() {
    history.replaceState({ tries: tries }, '');
    location.reload();
  }
  on(button, 'click', function () { retry(); });
  on(window, 'online', function () {
    deliver();
    if (halt) retry();
    else if (wait) says.textContent = '';
  });
  on(page, 'click', function (event) { if (event.target.form) tapped = event.target; });

  function failed(form, button, name, seconds) {
    form.removeAttribute('aria-busy');
    form.parentNode.insertBefore(link, form.nextSibling);
    again(name, function () { if (button) button.click(); else form.submit(); }, seconds);
  }
  function watch(form, button) {
    var isUpload = form.enctype.indexOf('multi') > -1;
    sent = [form, button];
    later(function () { says.textContent = WORDS.slow; }, SLOW);
    later(function () {
      window.stop();
      failed(form, button, 'none');
    }, isUpload ? UPLOAD : PATIENCE);
  }
  all('form:not([data-local])', function (form) {
    on(form, 'submit', function (event) {
      var button = tapped && tapped.form === form ? tapped : form.querySelector('button:not([type])');
      if (event.defaultPrevented) return;
      settle();
      if (navigator.onLine === false) {
        event.preventDefault();
        failed(form, button, 'none');
        return;
      }
      tell({ watch: button && button.getAttribute('formaction') ? button.formAction : form.action });
      setTimeout(function () { if (!event.defaultPrevented) watch(form, button); }, 0);
    });
  });
  function begin() {
    settle();
    if (!wait) { tries = 0; says.textContent = ''; more.hidden = true; }
    /* What is typed here is worth more than another try by itself. */
    if (wait && location.pathname !== '/offline') again(link.getAttribute('data-why'), reload, wait);
    tell({ hello: 1 });
    deliver();
  }
  on(page, 'input', function () { if (wait) { settle(); ticker.textContent = ''; } });

  /* ---- The worker keeps public pages. It comes late, when nothing else needs the link. */
  var sw = navigator.serviceWorker;
  function tell(what) { if (sw && sw.controller) sw.controller.postMessage(what); }
  function join() {
    var url = '/sw.js';
    if (window.trustedTypes) url = trustedTypes.createPolicy('worker', { createScriptURL: function () { return '/sw.js'; } }).createScriptURL('');
    sw.register(url).then(null, function () {});
  }
  if (sw) {
    if (!sw.controller) setTimeout(join, Math.max(0, 15000 - here.now()));
    on(sw, 'message', function (event) {
      var said = event.data;
      if (said.sync) deliver();
      if (said.kept) { says.textContent = WORDS.kept; more.hidden = false; retry = reload; }
      if ('again' in said && sent) failed(sent[0], sent[1], said.again ? 'busy' : 'none', said.again);
    });
  }

  /* ---- Appointments that wait on this device for a link (offline.js). A code follows, so somebody has to be looking. */
  var delivering, shown = {}, changed = function () { if (here.changed) here.changed(); };
  function box(act, done) {
    var open = indexedDB.open('foregate', 1);
    open.onupgradeneeded = function () { open.result.createObjectStore('wishes', { keyPath: 'key' }); };
    open.onsuccess = function () {
      var work = open.result.transaction('wishes', 'readwrite'), asked = act(work.objectStore('wishes'));
      work.oncomplete = function () { open.result.close(); done(asked.result); };
    };
  }
  function drop(row) { box(function (store) { return store['delete'](row.key); }, changed); }
  function waits() { try { return localStorage.getItem('wishes'); } catch (blocked) { return ''; } }
  function deliver() {
    if (delivering || !waits() || navigator.onLine === false) return;
    delivering = 1;
    box(function (store) { return store.getAll(); }, function (rows) {
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
    request.timeout = PATIENCE * 1000;
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
    var card = document.createElement('section'), line = make('p', '', card);
    card.className = 'card good';
    card.setAttribute('role', 'status');
    row.told.ways.forEach(function (way, place) {
      var go = make('a', way.text, card);
      go.className = place ? 'go plain' : 'go';
      go.href = way.href;
    });
    main.insertBefore(card, main.firstChild);
    line.textContent = row.told.text;
  }

  here.make = make;
  here.box = box;
  here.deliver = deliver;
  on(window, 'pageshow', begin);
  if (document.readyState === 'complete') begin();
}());
