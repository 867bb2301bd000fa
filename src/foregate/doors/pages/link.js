/* For a bad link: what is not answered is asked again, counted down; public pages are kept by a worker; appointments that
   waited are sent (outbox.js). Comes after script.js, when there is time. ES5. */
(function () {
  'use strict';
  var here = window.foregate, all = here.all, on = here.on, countdown = here.countdown, page = document.body;

  /* ---- What is not answered is asked again, counted down, so many times. */
  var TRIES = 5, SLOW = 5, PATIENCE = 20, UPLOAD = 120; /* seconds */
  var WORDS = {}, OUTBOX = ''; /* in the language of the page, and where it is: by assets.py */
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
  var policy = window.trustedTypes && trustedTypes.createPolicy('worker', {
    createScriptURL: function (url) { return url === OUTBOX ? url : '/sw.js'; }
  });
  function own(url) { return policy ? policy.createScriptURL(url) : url; }
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
  function join() { sw.register(own('/sw.js')).then(null, function () {}); }
  if (sw) {
    if (!sw.controller) setTimeout(join, Math.max(0, 15000 - here.now()));
    on(sw, 'message', function (event) {
      var said = event.data;
      if (said.sync) deliver();
      if (said.kept) { says.textContent = WORDS.kept; more.hidden = false; retry = reload; }
      if ('again' in said && sent) failed(sent[0], sent[1], said.again ? 'busy' : 'none', said.again);
    });
  }

  /* ---- Appointments that wait on this device for a link. What sends them (outbox.js) is loaded where there are any. */
  var outbox;
  function waits() { try { return localStorage.getItem('wishes'); } catch (blocked) { return ''; } }
  function deliver() {
    if (here.deliver) { here.deliver(); return; }
    if (outbox || !waits() || navigator.onLine === false) return;
    outbox = document.createElement('script');
    outbox.onerror = function () { outbox = null; };
    outbox.src = own(OUTBOX);
    page.appendChild(outbox);
  }

  here.make = make;
  here.patience = PATIENCE;
  on(window, 'pageshow', begin);
  if (document.readyState === 'complete') begin();
}());
