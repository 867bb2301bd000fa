/* Comfort for browsers that run scripts; every page works without it. ES5, for phones of ten years ago. */
(function () {
  'use strict';
  var page = document.body;

  function all(selector, act) {
    var found = document.querySelectorAll(selector), i;
    for (i = 0; i < found.length; i++) act(found[i]);
  }
  function on(target, event, act) { target.addEventListener(event, act, false); }
  function now() { return window.performance && performance.now ? performance.now() : new Date().getTime(); }

  /* Counts down from the seconds that the server told: a phone's clock may be wrong, its pace is not. */
  function countdown(seconds, tick, done) {
    var end = now() + seconds * 1000, timer;
    function beat() {
      var left = Math.ceil((end - now()) / 1000);
      if (left > 0) { tick(left); return; }
      clearInterval(timer);
      done();
    }
    timer = setInterval(beat, 1000);
    beat();
    return function () { clearInterval(timer); };
  }

  /* What helps on a bad link (link.js) comes when somebody does something here, or stays, or was here before: then the
     worker has it. The first page does not wait for it, nor pay for it. */
  var later = document.getElementById('later'), sw = navigator.serviceWorker;
  function load() {
    if (later && later.content) page.appendChild(document.importNode(later.content, true));
    later = null;
  }
  on(window, 'load', function () { setTimeout(load, sw && sw.controller ? 0 : 15000); });
  on(page, 'focusin', load);
  on(page, 'click', load);
  window.foregate = { all: all, on: on, now: now, countdown: countdown };

  /* What went wrong is read out first. */
  var problem = document.getElementById('problem');
  if (problem) problem.focus();

  /* Show and hide a password while typing. */
  all('input[data-show]', function (input) {
    var button = document.createElement('button'), row = document.createElement('div');
    button.type = 'button';
    button.className = 'plain';
    button.setAttribute('aria-controls', input.id);
    row.className = 'eye';
    input.parentNode.insertBefore(row, input);
    row.appendChild(input);
    row.appendChild(button);
    function say(isShown) {
      input.type = isShown ? 'text' : 'password';
      button.textContent = input.getAttribute(isShown ? 'data-hide' : 'data-show');
      button.setAttribute('aria-pressed', isShown ? 'true' : 'false');
    }
    on(button, 'click', function () { say(input.type === 'password'); });
    if (input.form) on(input.form, 'submit', function () { say(false); });
    var caps = document.createElement('p');
    caps.className = 'hint';
    caps.setAttribute('role', 'status');
    row.parentNode.insertBefore(caps, row.nextSibling);
    on(input, 'keyup', function (event) {
      var isOn = event.getModifierState && event.getModifierState('CapsLock');
      caps.textContent = isOn ? input.getAttribute('data-caps') : '';
    });
    say(false);
  });

  /* One tap, one request: until the answer is there a form is sent once. */
  var otp = window.AbortController ? new AbortController() : null;
  all('form', function (form) {
    on(form, 'submit', function (event) {
      if (form.getAttribute('aria-busy')) { event.preventDefault(); return; }
      form.setAttribute('aria-busy', 'true');
      if (otp) otp.abort();
    });
  });
  on(window, 'pageshow', function () { all('form[aria-busy]', function (form) { form.removeAttribute('aria-busy'); }); });

  /* Another code may be asked for in so many seconds. */
  all('button[data-wait]', function (button) {
    var label = button.textContent, seconds = +button.getAttribute('data-wait');
    if (!seconds) return;
    button.disabled = true;
    countdown(seconds, function (left) {
      button.textContent = button.getAttribute('data-waiting').replace('#', left);
    }, function () {
      button.disabled = false;
      button.textContent = label;
    });
  });

  /* The phone offers the code by itself where it can. */
  var code = document.querySelector('input[autocomplete="one-time-code"]');
  if (code && otp && 'OTPCredential' in window) {
    navigator.credentials.get({ otp: { transport: ['sms'] }, signal: otp.signal }).then(function (got) {
      code.value = got.code;
      if (code.form.requestSubmit) code.form.requestSubmit(); else code.form.submit();
    }, function () {});
  }

  /* The home screen: only where the browser offers it, and only when somebody taps. */
  all('button[data-install]', function (button) {
    on(window, 'beforeinstallprompt', function (event) {
      event.preventDefault();
      button.hidden = false;
      button.onclick = function () { button.hidden = true; event.prompt(); };
    });
    on(window, 'appinstalled', function () { button.hidden = true; });
  });

  /* A while before the session ends: one tap to stay. */
  var idle = document.getElementById('idle'), stop;
  function leave() { location.replace('/signed-out'); }
  function watch() {
    if (stop) stop();
    idle.hidden = true;
    stop = countdown(+page.getAttribute('data-idle'), function (left) {
      if (left <= +page.getAttribute('data-warn') && idle.hidden) { idle.hidden = false; idle.querySelector('button').focus(); }
    }, leave);
  }
  if (idle) {
    watch();
    on(idle.querySelector('form'), 'submit', function (event) {
      var request = new XMLHttpRequest();
      event.preventDefault();
      request.open('POST', '/stay');
      request.setRequestHeader('Content-Type', 'application/x-www-form-urlencoded');
      request.onload = function () {
        event.target.removeAttribute('aria-busy');
        if (request.status === 204) watch(); else leave();
      };
      request.onerror = function () { event.target.removeAttribute('aria-busy'); };
      request.send('');
    });
  }
}());
