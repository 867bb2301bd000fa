/* The offline page: outlets that were seen on this device, and appointments that wait for a link. ES5. */
(function () {
  'use strict';
  var form = document.getElementById('wish'), seen = document.getElementById('seen'), list = document.getElementById('waiting');
  var book = window.foregate, make = book.make, days = form.querySelector('[name=day]'), max = +list.getAttribute('data-max'), isFull;
  var SIGNS = { amp: '&', lt: '<', gt: '>', '#34': '"', '#39': '\'' };

  /* A kept page is read as text: its heading is the name. The server escapes these five signs and no others. */
  function heading(html) {
    var found = /<h1>([^<]*)<\/h1>/.exec(html);
    return found && found[1].replace(/&(amp|lt|gt|#34|#39);/g, function (all, sign) { return SIGNS[sign]; });
  }
  function fit() { form.parentNode.hidden = isFull || !form.outlet.options.length; }
  function show(url, name) {
    var path = url.slice(location.origin.length), row = make('li', '', seen.querySelector('ul'));
    make('a', name, row).href = path;
    make('option', name, form.outlet).value = path.slice('/outlets/'.length);
    seen.hidden = false;
    document.getElementById('unseen').hidden = true;
    fit();
  }
  function look() {
    caches.open('foregate-kept').then(function (cache) {
      return cache.keys().then(function (keys) {
        keys.reverse().forEach(function (key) {
          if (!/\/outlets\/[^\/?]+$/.test(key.url)) return;
          cache.match(key, { ignoreVary: true }).then(function (page) { return page.text(); }).then(function (html) {
            var name = heading(html);
            if (name) show(key.url, name);
          });
        });
      });
    });
  }

  function day(ahead) {
    var date = new Date(), said;
    date.setDate(date.getDate() + ahead);
    said = date.toLocaleDateString(document.documentElement.lang, { weekday: 'short', month: 'long', day: 'numeric' });
    make('option', said, days).value = [
      date.getFullYear(), ('0' + (date.getMonth() + 1)).slice(-2), ('0' + date.getDate()).slice(-2)
    ].join('-');
  }
  function chosen(field) { return field.options ? field.options[field.selectedIndex].textContent : field.value; }
  function words() {
    return ['outlet', 'service', 'day', 'part', 'surname'].map(function (name) { return chosen(form[name]); }).join(' · ');
  }
  function key() {
    var bytes = crypto.getRandomValues(new Uint8Array(16));
    return Array.prototype.map.call(bytes, function (byte) { return (256 + byte).toString(16).slice(1); }).join('');
  }

  function refresh() {
    book.box(function (store) { return store.getAll(); }, function (rows) {
      var waiting = rows.filter(function (row) { return row.wish; }), inside = list.querySelector('ul');
      while (inside.firstChild) inside.removeChild(inside.firstChild);
      waiting.forEach(function (row) {
        var item = make('li', '', inside), button;
        make('p', row.said, make('div', '', item)).parentNode.className = 'row';
        button = make('button', list.getAttribute('data-delete'), item.firstChild);
        button.type = 'button';
        button.className = 'plain';
        button.addEventListener('click', function () {
          book.box(function (store) { return store['delete'](row.key); }, refresh);
        }, false);
      });
      list.hidden = !waiting.length;
      isFull = waiting.length >= max;
      document.getElementById('full').hidden = !isFull;
      fit();
      book.note(rows);
    });
  }
  form.addEventListener('submit', function (event) {
    event.preventDefault();
    var wish = { key: key() };
    ['outlet', 'service', 'day', 'part', 'surname', 'phone'].forEach(function (name) { wish[name] = form[name].value; });
    book.box(function (store) {
      return store.put({ key: wish.key, until: new Date().getTime() + list.getAttribute('data-days') * 864e5, said: words(), wish: wish });
    }, function () {
      form.reset();
      refresh();
      list.hidden = false;
      list.focus();
      navigator.serviceWorker.ready.then(function (at) { return at.sync && at.sync.register('wishes'); }).then(book.deliver, book.deliver);
    });
  }, false);

  document.querySelector('[data-no-script]').hidden = true;
  if (!window.caches || !window.indexedDB || !navigator.serviceWorker) return;
  var ahead;
  for (ahead = 0; ahead < 14; ahead++) day(ahead);
  book.changed = refresh;
  look();
  refresh();
}());
