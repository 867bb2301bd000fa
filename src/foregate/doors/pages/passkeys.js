/* Passkeys: by button, offered by the phone itself where it can, and made. ES5, for phones of ten years ago; where a
   browser has none, the page says so and nothing of this runs. */
(function () {
  'use strict';
  var form = document.querySelector('form[data-passkey]'), here = document.body, wait = null, rounds = 5;

  function all(selector, act) {
    var found = document.querySelectorAll(selector), i;
    for (i = 0; i < found.length; i++) act(found[i]);
  }
  function can() {
    return window.PublicKeyCredential && window.Uint8Array && window.AbortController && navigator.credentials &&
      location.hostname === here.getAttribute('data-site');
  }
  all('[data-no-script]', function (part) { part.hidden = true; });
  if (!can()) { all('[data-no-passkey]', function (part) { part.hidden = false; }); return; }
  all('[data-needs-passkey]', function (part) { part.hidden = false; });
  if (!form) return;
  form.hidden = false;

  function bytes(text) {
    var raw = atob(text.replace(/-/g, '+').replace(/_/g, '/')), found = new Uint8Array(raw.length), i;
    for (i = 0; i < raw.length; i++) found[i] = raw.charCodeAt(i);
    return found;
  }
  function text(buffer) {
    var found = new Uint8Array(buffer), raw = '', i;
    for (i = 0; i < found.length; i++) raw += String.fromCharCode(found[i]);
    return btoa(raw).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
  }
  function asked(options) {
    var lists = [options.allowCredentials || [], options.excludeCredentials || []], i, j;
    options.challenge = bytes(options.challenge);
    if (options.user) options.user.id = bytes(options.user.id);
    for (i = 0; i < 2; i++) for (j = 0; j < lists[i].length; j++) lists[i][j].id = bytes(lists[i][j].id);
    return options;
  }
  function answered(made) {
    var from = made.response, names = ['clientDataJSON', 'attestationObject', 'authenticatorData', 'signature', 'userHandle'];
    var response = {}, i;
    for (i = 0; i < names.length; i++) if (from[names[i]]) response[names[i]] = text(from[names[i]]);
    return JSON.stringify({
      id: made.id, rawId: text(made.rawId), type: made.type, response: response, clientExtensionResults: {}
    });
  }

  /* The server draws the challenge: on the journey of this page, or on one that begins with it. */
  function ask(then, failed) {
    var id = form.getAttribute('data-id'), request = new XMLHttpRequest(), body;
    body = id ? { version: +form.elements.version.value, step: 'passkey-options' }
      : { journey: 'sign-in', step: 'choose', answer: { way: 'passkey' } };
    request.open('POST', id ? '/v1/journeys/' + id + '/answers' : '/v1/journeys');
    request.setRequestHeader('Content-Type', 'application/json');
    request.onload = function () {
      var journey;
      if (request.status >= 300) { failed(); return; }
      journey = JSON.parse(request.responseText);
      form.action = '/j/' + journey.id;
      form.elements.version.value = journey.version;
      then(asked(JSON.parse(journey.step.facts.options)));
    };
    request.onerror = failed;
    request.send(JSON.stringify(body));
  }
  function send(made) {
    form.elements.credential.value = answered(made);
    form.submit();
  }
  function fail() {
    form.removeAttribute('aria-busy');
    form.querySelector('[role=alert]').hidden = false;
  }

  form.addEventListener('submit', function (event) {
    event.preventDefault();
    event.stopImmediatePropagation();
    if (wait) { wait.abort(); wait = null; }
    rounds = 0;
    form.setAttribute('aria-busy', 'true');
    form.querySelector('[role=alert]').hidden = true;
    ask(function (options) {
      var made = form.getAttribute('data-passkey') === 'create'
        ? navigator.credentials.create({ publicKey: options }) : navigator.credentials.get({ publicKey: options });
      made.then(send, fail);
    }, fail);
  }, true);

  /* The phone offers a passkey where the number is typed. What it would sign is fresh for two minutes, so ask again. */
  function offer() {
    if (rounds-- <= 0) return;
    ask(function (options) {
      var mine = new AbortController(), again;
      wait = mine;
      again = setTimeout(function () { if (wait === mine) { mine.abort(); offer(); } }, options.timeout - 15000);
      navigator.credentials.get({ publicKey: options, mediation: 'conditional', signal: mine.signal })
        .then(function (made) { clearTimeout(again); send(made); }, function () {});
    }, function () {});
  }
  if (document.querySelector('input[autocomplete~=webauthn]') && !form.getAttribute('data-id') &&
      PublicKeyCredential.isConditionalMediationAvailable) {
    PublicKeyCredential.isConditionalMediationAvailable().then(function (isThere) { if (isThere) offer(); });
    window.addEventListener('pageshow', function (event) { if (event.persisted) { rounds = 5; offer(); } });
  }
}());
