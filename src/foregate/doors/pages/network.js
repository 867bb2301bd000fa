/* The network check: measures, decides by the server's own tables, and makes the diagnosis code. ES5. */
(function () {
  'use strict';
  var T = 'TABLES', N = T.network, D = T.diagnosis, W = T.words, PREFIX = 'foregate-';

  /* Deciding: as rules/network.py and rules/diagnosis.py do, over the same tables. */
  function number(value) {
    if (value === null || value === undefined) return null;
    return typeof value === 'string' ? N.words[value] : +value;
  }
  function holds(when, f) {
    return when.some(function (together) {
      return together.every(function (c) {
        var value = number(f[c[0]]);
        return value !== null && (c[1] === '<' ? value < c[2] : value >= c[2]);
      });
    });
  }
  function verdict(f) { return N.verdicts.filter(function (v) { return holds(v[2], f); })[0]; }
  function level(row, f) {
    if (number(f[row[1]]) === null) return 'unknown';
    return holds(row[2], f) ? 'bad' : holds(row[3], f) ? 'warn' : 'good';
  }
  function bucket(field, f) {
    var value = number(f[field[0]]);
    return value === null ? 0 : field[2] + field[1].filter(function (bound) { return bound <= value; }).length;
  }
  function times(one, other) {
    var product = 0;
    for (; other; other >>= 1) {
      if (other & 1) product ^= one;
      one <<= 1;
      if (one & 32) one ^= D.polynomial;
    }
    return product;
  }
  function code(f) {
    var rest = 0, check = D.start, weight = 2, text = '', place, digit;
    for (place = D.fields.length - 1; place >= 0; place--) {
      rest = rest * D.fields[place][3] + bucket(D.fields[place], f);
    }
    rest = rest * D.verdict_numbers + D.numbers[verdict(f)[0]];
    for (place = 0; place < 5; place++) {
      digit = (rest >> (5 * place)) & 31;
      check ^= times(digit, weight);
      weight = times(weight, 2);
      text += D.alphabet.charAt(digit);
    }
    return text + D.alphabet.charAt(check);
  }
  function shown(f) {
    var clock = Math.abs(f.clock_ahead_ms || 0), ms = f.median_ms || 0;
    return {
      seconds: Math.floor((ms + 50) / 100) / 10,
      min: f.min_ms || 0, median: ms, p95: f.p95_ms || 0, jitter: f.jitter_ms || 0,
      answered: f.answered || 0, lost: f.lost || 0,
      sent: (f.answered || 0) + (f.lost || 0) + (f.altered || 0) + (f.refused || 0),
      kilobits: Math.floor((f.bits_per_second || 0) / 1000),
      clock: Math.floor(clock / (clock >= 120000 ? 60000 : 1000)),
      kilobytes: Math.floor((f.cache_bytes || 0) / 1000)
    };
  }
  function variant(row, f) {
    var value = f[row[1]];
    if (value === null || value === undefined) return 'none';
    if (typeof value === 'string') return value;
    if (row[0] === 'version' && !value && f.asks_minimum === false) return 'free';
    if (row[0] === 'version' || row[0] === 'tamper') return value ? 'yes' : 'no';
    if (row[0] !== 'clock') return 'number';
    if (level(row, f) === 'good') return 'right';
    return (value > 0 ? 'ahead-' : 'behind-') + (Math.abs(value) >= 120000 ? 'minutes' : 'seconds');
  }
  /* For whoever wants to know what follows from other figures: the tests do. */
  window.foregateNetwork = { verdict: function (f) { return verdict(f)[0]; }, code: code };

  var box = document.getElementById('network');
  if (!box || !window.JSON) return;
  var progress = byId('progress'), last = null, proof = null, client = '', step = 0, all = N.probes + 5;

  function byId(id) { return document.getElementById(id); }
  function on(id, act) { byId(id).addEventListener('click', act, false); }
  function now() { return window.performance && performance.now ? performance.now() : new Date().getTime(); }
  function fill(text, facts) {
    return text.replace(/\{(\w+)\}/g, function (whole, name) { return facts[name] === undefined ? whole : facts[name]; });
  }
  function parsed(text) { try { return JSON.parse(text); } catch (e) { return null; } }
  function tick() { step += 1; progress.textContent = fill(W.checking, { done: step, all: all }); }

  /* One request: done(status, text, milliseconds). 0: no answer in time. A redirect is told, never followed. */
  function ask(path, done, body) {
    var began = now(), isOver = false, stop, request;
    function end(status, text) {
      if (isOver) return;
      isOver = true;
      clearTimeout(timer);
      done(status, text, Math.round(now() - began));
    }
    var timer = setTimeout(function () { end(0, ''); if (stop) stop(); }, N.probe_ms);
    if (window.fetch) {
      var options = { cache: 'no-store', credentials: 'same-origin', redirect: 'manual' };
      if (window.AbortController) {
        var abort = new AbortController();
        options.signal = abort.signal;
        stop = function () { abort.abort(); };
      }
      if (body) {
        options.method = 'POST';
        options.body = JSON.stringify(body);
        options.headers = { 'Content-Type': 'application/json' };
      }
      fetch(path, options).then(function (answer) {
        if (answer.type === 'opaqueredirect') { end(302, ''); return null; }
        return answer.text().then(function (text) { end(answer.status, text); });
      }).then(null, function () { end(0, ''); });
      return;
    }
    request = new XMLHttpRequest();
    request.open(body ? 'POST' : 'GET', path);
    if (body) request.setRequestHeader('Content-Type', 'application/json');
    request.onload = function () { end(request.status, request.responseText); };
    request.onerror = function () { end(0, ''); };
    stop = function () { request.abort(); };
    request.send(body ? JSON.stringify(body) : null);
  }

  /* Small requests, one after the other. Where nothing gets through, a few say as much as all. */
  function probe(f, took, next) {
    var nonce = '', i;
    for (i = 0; i < 16; i++) nonce += Math.floor(Math.random() * 16).toString(16);
    tick();
    ask('/v1/network/probe?nonce=' + nonce, function (status, text, ms) {
      var told = parsed(text), middle = new Date().getTime() - ms / 2;
      if (!status) f.lost += 1;
      else if (status === 200 && told && told.nonce === nonce && told.mark) {
        f.answered += 1;
        proof = told;
        /* Our time is told to the second, so half a second later on the whole. */
        if (!took.length || ms < Math.min.apply(null, took)) f.clock_ahead_ms = Math.round(middle - told.server_seconds * 1000 - 500);
        took.push(ms);
      } else if (status === 429 || (status >= 500 && status !== 511)) f.refused += 1;
      else f.altered += 1;
      var isEnough = f.altered > 1 || f.refused > 1 || (!f.answered && (f.lost > 2 || (f.lost && navigator.onLine === false)));
      if (isEnough || f.answered + f.lost + f.altered + f.refused >= N.probes) { summed(f, took); next(); } else probe(f, took, next);
    });
  }
  function summed(f, took) {
    if (!took.length) return;
    var sorted = took.slice().sort(function (a, b) { return a - b; }), half = sorted.length / 2, apart = 0, i;
    for (i = 1; i < took.length; i++) apart += Math.abs(took[i] - took[i - 1]);
    f.min_ms = sorted[0];
    f.median_ms = Math.round((sorted[Math.ceil(half) - 1] + sorted[Math.floor(half)]) / 2);
    f.p95_ms = sorted[Math.ceil(sorted.length * 0.95) - 1];
    f.jitter_ms = took.length > 1 ? Math.round(apart / (took.length - 1)) : 0;
  }

  /* How fast bytes come: a small answer, and a larger one where that takes no longer than we may. */
  function filler(f, size, left, next) {
    var request = new XMLHttpRequest(), began = now(), came = 0, isOver = false;
    function end() {
      if (isOver) return;
      isOver = true;
      clearTimeout(timer);
      var took = Math.max(1, now() - began), moving = Math.max(1, took - f.min_ms);
      if (came) f.bits_per_second = Math.min(1e11, Math.round(came * 8000 / moving));
      else if (took >= left - 50) f.bits_per_second = 0;
      next(left - took, moving);
    }
    var timer = setTimeout(function () { end(); request.abort(); }, left);
    request.onprogress = function (event) { came = event.loaded; };
    request.onload = function () { if (request.status !== 200) came = 0; end(); };
    request.onerror = function () { came = 0; end(); };
    request.open('GET', '/v1/network/filler/' + size);
    request.send();
  }
  function speed(f, next) {
    var link = navigator.connection || {}, sizes = N.fillers;
    tick();
    filler(f, sizes[0], N.filler_ms, function (left, took) {
      var isCostly = link.saveData || /2g/.test(link.effectiveType || '');
      if (isCostly || !f.bits_per_second || took * sizes[1] / sizes[0] + f.min_ms > left) { next(); return; }
      filler(f, sizes[1], left, next);
    });
  }

  /* What comes back: cookies by a round trip, storage by writing and reading. What a browser says of itself is no use. */
  function stores() {
    try {
      localStorage.setItem(PREFIX + 'probe', '1');
      var isThere = localStorage.getItem(PREFIX + 'probe') === '1';
      localStorage.removeItem(PREFIX + 'probe');
      return isThere;
    } catch (e) { return false; }
  }
  function keeps(f, next) {
    tick();
    ask('/v1/network/cookie', function (first) {
      if (first !== 200) { next(); return; }
      ask('/v1/network/cookie', function (status, text) {
        var told = parsed(text);
        if (status === 200 && told) f.keeps = !told.came ? 'nothing' : stores() ? 'all' : 'cookies';
        next();
      });
    });
  }

  /* Our own entries, counted: what a browser estimates is of everything, late, and rounded. */
  function ours(names) { return names.filter(function (name) { return name.indexOf(PREFIX) === 0; }); }
  function kept(f, next) {
    tick();
    if (!window.caches) { next(); return; }
    caches.keys().then(function (names) {
      return Promise.all(ours(names).map(function (name) {
        return caches.open(name).then(function (cache) {
          return cache.keys().then(function (requests) {
            return Promise.all(requests.map(function (request) {
              return cache.match(request).then(function (answer) { return answer ? answer.blob() : { size: 0 }; });
            }));
          });
        });
      }));
    }).then(function (found) {
      f.cache_bytes = 0;
      found.forEach(function (blobs) { blobs.forEach(function (blob) { f.cache_bytes += blob.size; }); });
    }).then(next, function () { next(); });
  }

  function services(f, next) {
    tick();
    ask('/status', function (status, text) {
      var told = parsed(text);
      if (status === 200 && told) {
        ['sign_in', 'sms', 'face', 'core_bank', 'asks_minimum', 'is_too_old'].forEach(function (name) { f[name] = told[name]; });
        client = told.client ? fill(told.client_least ? W.least : W.client, { client: told.client, least: told.client_least }) : '';
      }
      next();
    });
  }

  /* What was found: the sentence first, the code, then one by one. */
  function add(to, kind, text) {
    var made = document.createElement(kind);
    made.textContent = text;
    to.appendChild(made);
    return made;
  }
  function emptied(element) { element.textContent = ''; return element; }
  function show(f) {
    var found = verdict(f), facts = shown(f), words = W.verdicts[found[0]], symbols = code(f), list = emptied(byId('details').querySelector('ul'));
    var told = add(emptied(byId('verdict')), 'section', '');
    told.className = found[1] === 'good' ? 'card good' : 'bad';
    told.setAttribute('data-verdict', found[0]);
    add(told, 'h2', fill(words[0], facts));
    add(told, 'p', fill(words[1], facts));
    if (words[2]) { told = add(told, 'p', ''); told.className = 'more'; add(told, 'a', words[3]).href = words[2]; }
    byId('code').querySelector('.digits').textContent = symbols.slice(0, T.group) + '-' + symbols.slice(T.group);
    N.rows.forEach(function (row) {
      var said = W.rows[row[0]], how = level(row, f), which = variant(row, f), item = add(list, 'li', '');
      var value = which === 'none' ? W.none : fill(said[which], facts);
      item.className = 'row';
      item.setAttribute('data-row', row[0]);
      add(item, 'b', said.title);
      add(item, 'span', which === 'none' || which === 'ok' ? value : W.levels[how] + ' \u00b7 ' + value);
      if (how === 'bad' || how === 'warn') add(item, 'span', said.advice);
    });
    byId('details').querySelector('.hint').textContent = [client, hint()].join(' ');
    progress.textContent = '';
    byId('code').hidden = byId('again').hidden = byId('clear').hidden = byId('details').hidden = false;
    byId('report').hidden = !f.answered;
  }
  function hint() {
    var link = navigator.connection, said = [];
    if (link && link.effectiveType) said.push(link.effectiveType);
    if (link && link.saveData) said.push(W.saver);
    return said.length ? fill(W.hint, { kind: said.join(', ') }) : '';
  }

  /* Our server decides too: it alone can tell whether the answer of a probe was its own. */
  function confirmed(f) {
    ask('/v1/network/verdict', function (status, text) {
      var told = parsed(text);
      if (status === 200 && told && told.verdict === 'portal' && !f.altered) { f.altered = 1; show(f); }
    }, { figures: f, proof: proof });
  }

  function run() {
    var f = { is_online: navigator.onLine !== false, answered: 0, lost: 0, altered: 0, refused: 0 };
    last = f;
    step = 0;
    proof = null;
    box.hidden = false;
    byId('plain').hidden = true;
    byId('again').hidden = byId('report').hidden = true;
    function finish() { if (last === f) { show(f); if (f.answered) confirmed(f); } }
    probe(f, [], function () {
      kept(f, function () {
        if (f.altered || (!f.answered && !f.refused)) { finish(); return; }
        services(f, function () {
          if (!f.answered) { finish(); return; }
          keeps(f, function () { speed(f, finish); });
        });
      });
    });
  }

  /* Clear and reconnect: never without us in reach, for what is kept is all that somebody offline has. */
  function databases(done) {
    if (!window.indexedDB) { done([]); return; }
    if (!indexedDB.databases) { done(['foregate']); return; }
    indexedDB.databases().then(function (found) {
      done(found.map(function (one) { return one.name; }).filter(function (name) { return name.indexOf('foregate') === 0; }));
    }, function () { done([]); });
  }
  function waiting(names, done) {
    var name = names[0], opening;
    if (!name) { done(false); return; }
    function further() { waiting(names.slice(1), done); }
    try { opening = indexedDB.open(name); } catch (e) { further(); return; }
    opening.onupgradeneeded = function () { opening.transaction.abort(); };
    opening.onerror = function (event) { event.preventDefault(); further(); };
    opening.onsuccess = function () {
      var base = opening.result, places = Array.prototype.slice.call(base.objectStoreNames), left = places.length, found = 0;
      function close() { base.close(); if (found) done(true); else further(); }
      if (!left) { close(); return; }
      places.forEach(function (store) {
        var counting = base.transaction(store).objectStore(store).count();
        counting.onsuccess = counting.onerror = function () {
          found += counting.error ? 0 : counting.result;
          left -= 1;
          if (!left) close();
        };
      });
    };
  }
  function wipe() {
    var work = [], workers = navigator.serviceWorker;
    if (window.caches) work.push(caches.keys().then(function (names) { return Promise.all(ours(names).map(function (name) { return caches.delete(name); })); }));
    if (workers && workers.getRegistrations) work.push(workers.getRegistrations().then(function (found) { return Promise.all(found.map(function (one) { return one.unregister(); })); }));
    function again() { location.replace('/network?fresh=' + new Date().getTime()); }
    databases(function (names) {
      names.forEach(function (name) { try { indexedDB.deleteDatabase(name); } catch (e) { return; } });
      if (window.Promise) Promise.all(work).then(again, again); else again();
    });
  }
  on('clear-do', function () {
    byId('clear-offline').hidden = byId('clear-asks').hidden = true;
    ask('/v1/network/probe?nonce=0', function (status, text) {
      if (status !== 200 || !parsed(text)) { byId('clear-offline').hidden = false; return; }
      databases(function (names) {
        waiting(names, function (isWaiting) {
          if (!isWaiting) { wipe(); return; }
          byId('clear-asks').hidden = false;
          byId('clear-keep').focus();
        });
      });
    });
  });
  on('clear-keep', function () { byId('clear-asks').hidden = true; byId('clear-do').focus(); });
  on('clear-drop', wipe);
  on('again', run);
  window.addEventListener('online', run, false);

  var report = byId('report'), copy = byId('code').querySelector('button');
  report.querySelector('button').addEventListener('click', function () {
    var told = report.querySelector('[role=status]'), button = this;
    button.disabled = true;
    ask('/v1/network/reports', function (status) {
      told.textContent = told.getAttribute(status === 201 ? 'data-sent' : 'data-failed');
      button.disabled = status === 201;
    }, { figures: last, agrees: true });
  }, false);
  if (navigator.clipboard) {
    copy.hidden = false;
    copy.addEventListener('click', function () {
      navigator.clipboard.writeText(byId('code').querySelector('.digits').textContent).then(function () {
        copy.textContent = copy.getAttribute('data-copied');
      }, function () {});
    }, false);
  }
  run();
}());
