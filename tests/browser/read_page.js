() => {
  /* What a person sees of a page: its forms with what they ask, where links lead out, and what it says. */
  const main = document.querySelector('main') || document.body;
  const seen = (part) => !!part.getClientRects().length && part.checkVisibility({ visibilityProperty: true });
  const text = (part) => part ? part.innerText.replace(/\s+/g, ' ').trim() : '';
  const grouped = (form) => {
    const found = new Map();
    for (const part of form.elements) {
      if (!part.name || part.tagName === 'BUTTON' || part.tagName === 'FIELDSET') continue;
      const kind = part.tagName === 'SELECT' ? 'select' : part.tagName === 'TEXTAREA' ? 'textarea' : part.type;
      /* What stands in a closed <details> may be left out; what nobody can reach by tab is there for managers. */
      const isHidden = kind === 'hidden' || part.tabIndex < 0 || !seen(part.closest('label') || part);
      const known = found.get(part.name);
      const values = kind === 'select' ? [...part.options].map((o) => o.value) : [part.value];
      if (known) { known.values.push(...values); continue; }
      found.set(part.name, { name: part.name, kind, is_hidden: isHidden, values });
    }
    return [...found.values()];
  };
  const forms = [...document.querySelectorAll('form')].map((form, at) => ({
    at,
    id: form.id,
    action: form.getAttribute('action') || '',
    is_visible: main.contains(form) && seen(form) && [...form.querySelectorAll('button')].some(seen),
    ceremony: form.getAttribute('data-passkey') || '',
    controls: grouped(form),
    buttons: [...form.querySelectorAll('button')].filter(seen)
      .map((b) => ({ name: b.name, value: b.value, text: text(b) })),
  }));
  const tabs = {};
  for (const tab of main.querySelectorAll('.tabs a:not([aria-current])')) {
    tabs[new URL(tab.href).searchParams.get('way')] = tab.getAttribute('href');
  }
  const out = main.querySelector('a.go[rel=noreferrer]');
  return {
    url: location.href,
    title: document.title,
    problem: text(document.querySelector('#problem')),
    is_good: [...main.querySelectorAll('.good[role=status]')].some(seen),
    forms,
    tabs,
    out: out ? out.href : '',
    lacks: [...main.querySelectorAll('[data-no-script], [data-no-passkey]')].filter(seen).map(text).join(' '),
    links: [...main.querySelectorAll('a[href]')].filter(seen).map((a) => a.getAttribute('href')),
    text: text(main).slice(0, 400),
  };
}
