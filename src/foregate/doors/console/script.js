/* Comfort for the console: keys, live lists, the warning before the lock. Everything but passkeys works without it. */
(() => {
  'use strict';
  const page = document.body;
  const $ = (selector, root) => (root || document).querySelector(selector);
  const all = (selector, root) => Array.from((root || document).querySelectorAll(selector));

  /* What went wrong is read out first. */
  const problem = $('#problem');
  if (problem) problem.focus();

  /* One click, one request. */
  all('form').forEach((form) => form.addEventListener('submit', (event) => {
    if (event.defaultPrevented) return;
    if (form.getAttribute('aria-busy')) { event.preventDefault(); return; }
    form.setAttribute('aria-busy', 'true');
  }));
  window.addEventListener('pageshow', () => all('form[aria-busy]').forEach((form) => form.removeAttribute('aria-busy')));

  all('[data-print]').forEach((button) => { button.hidden = false; button.addEventListener('click', () => window.print()); });

  /* ------------------------------------------------------------ passkeys */

  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), (c) => c.charCodeAt(0));
  const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');

  function asked(options) {
    options.challenge = bytes(options.challenge);
    if (options.user) options.user.id = bytes(options.user.id);
    for (const list of [options.allowCredentials, options.excludeCredentials]) {
      for (const known of list || []) known.id = bytes(known.id);
    }
    return options;
  }

  function answered(credential) {
    const from = credential.response;
    const response = { clientDataJSON: text(from.clientDataJSON) };
    if (from.attestationObject) response.attestationObject = text(from.attestationObject);
    if (from.authenticatorData) response.authenticatorData = text(from.authenticatorData);
    if (from.signature) response.signature = text(from.signature);
    if (from.userHandle) response.userHandle = text(from.userHandle);
    return JSON.stringify({
      id: credential.id, rawId: text(credential.rawId), type: credential.type, response,
      clientExtensionResults: {},
    });
  }

  all('form[data-passkey]').forEach((form) => {
    if (!window.PublicKeyCredential || location.hostname !== form.getAttribute('data-site')) return;
    const failed = $('[role=alert]', form);
    form.hidden = false;
    form.addEventListener('submit', async (event) => {
      event.preventDefault();
      event.stopImmediatePropagation();
      failed.hidden = true;
      try {
        const reply = await fetch(form.getAttribute('data-options'), { method: 'POST', body: new URLSearchParams(new FormData(form)) });
        if (!reply.ok) throw new Error('refused');
        const options = asked(await reply.json());
        const credential = form.getAttribute('data-passkey') === 'create'
          ? await navigator.credentials.create({ publicKey: options })
          : await navigator.credentials.get({ publicKey: options });
        form.elements.credential.value = answered(credential);
        form.submit();
      } catch (wrong) {
        failed.hidden = false;
      }
    }, true);
  });
  all('[data-elsewhere]').forEach((hint) => { hint.hidden = location.hostname === hint.getAttribute('data-elsewhere'); });

  /* ------------------------------------------------------------ live parts */

  /* The page is asked for again and its part put in place: XMLHttpRequest parses it, so no text ever becomes HTML here. */
  function refresh(part) {
    const request = new XMLHttpRequest();
    request.open('GET', location.pathname + location.search);
    request.setRequestHeader('X-Part', part.id);
    request.responseType = 'document';
    request.onload = () => {
      const fresh = request.status === 200 && request.response && request.response.getElementById(part.id);
      const old = document.getElementById(part.id);
      if (!fresh || !old) { location.reload(); return; }
      /* Whoever is typing there is not interrupted. */
      if (old.contains(document.activeElement) && /^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement.tagName)) return;
      old.replaceWith(document.importNode(fresh, true));
    };
    request.send();
  }
  all('[data-live]').forEach((part) => {
    if (!window.EventSource) return;
    const id = part.id;
    const source = new EventSource(part.getAttribute('data-live'));
    source.addEventListener('changed', () => { const here = document.getElementById(id); if (here) refresh(here); });
    source.addEventListener('over', () => { source.close(); location.reload(); });
    window.addEventListener('pagehide', () => source.close());
  });

  /* ------------------------------------------------------------ keys */

  const help = $('#keys');
  let isOn = true;
  try { isOn = localStorage.getItem('console-keys') !== 'off'; } catch (wrong) { isOn = true; }
  function move(by) {
    const rows = all('[data-row]');
    if (!rows.length) return;
    const at = rows.indexOf(document.activeElement);
    const next = rows[Math.min(rows.length - 1, Math.max(0, at < 0 ? 0 : at + by))];
    next.focus();
  }
  document.addEventListener('keydown', (event) => {
    const target = event.target;
    if (!isOn || event.ctrlKey || event.metaKey || event.altKey) return;
    if (/^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName)) { if (event.key === 'Escape') target.blur(); return; }
    if (event.key === '/' && $('#find')) { event.preventDefault(); $('#find').focus(); $('#find').select(); }
    if (event.key === 'j') move(1);
    if (event.key === 'k') move(-1);
    if (event.key === '?' && help && help.showModal && !help.open) help.showModal();
  });
  if (help && help.showModal) {
    const opener = $('#keys-open'), turn = $('input', help);
    opener.hidden = false;
    opener.addEventListener('click', () => help.showModal());
    $('button', help).addEventListener('click', () => help.close());
    turn.checked = isOn;
    turn.addEventListener('change', () => {
      isOn = turn.checked;
      try { localStorage.setItem('console-keys', isOn ? 'on' : 'off'); } catch (wrong) { isOn = turn.checked; }
    });
  }

  /* ------------------------------------------------------------ the lock */

  const idle = $('#idle'), now = () => performance.now();
  if (idle) {
    let end = now() + 1000 * page.getAttribute('data-idle');
    const locked = () => location.replace('/console/locked');
    /* Another tab may have kept the session: the server knows how much is left. */
    const ask = (method) => fetch('/console/left', { method, headers: { 'Content-Type': 'application/json' } })
      .then((reply) => (reply.ok ? reply.json() : { seconds: 0 }))
      .then((left) => { if (left.seconds > 0) end = now() + 1000 * left.seconds; else locked(); });
    let isAsked = false;
    setInterval(() => {
      const left = (end - now()) / 1000;
      if (left > 60) { idle.hidden = true; isAsked = false; return; }
      if (!isAsked) { isAsked = true; ask('GET').catch(() => {}); return; }
      if (left <= 0) { locked(); return; }
      if (idle.hidden) { idle.hidden = false; $('button', idle).focus(); }
    }, 1000);
    $('form', idle).addEventListener('submit', (event) => {
      event.preventDefault();
      event.stopImmediatePropagation();
      ask('POST').then(() => { idle.hidden = true; isAsked = false; }).catch(locked);
    }, true);
  }
})();
