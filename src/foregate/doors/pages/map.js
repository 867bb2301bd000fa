/* The map of outlets: draws what the list below it says. ES5. Stands before Leaflet, for the policy. */
(function () {
  'use strict';
  /* Leaflet asks once whether this browser knows SVG, as HTML. Nothing else that it does with HTML gets through. */
  if (window.trustedTypes && trustedTypes.createPolicy) {
    trustedTypes.createPolicy('default', { createHTML: function (text) { return text === '<svg/>' ? text : null; } });
  }
  document.addEventListener('DOMContentLoaded', function () {
    var L = window.L, box = document.getElementById('map'), shown = [], nearest = 8, looked = null, told, map;
    if (!L || !box) return;

    function all(selector, act) {
      var found = document.querySelectorAll(selector), i;
      for (i = 0; i < found.length; i++) act(found[i]);
    }
    function place(text) {
      var parts = text.split(',');
      return [+parts[0], +parts[1]];
    }
    function put(what, at, size, above) {
      var icon = L.divIcon({ html: what, className: 'spot', iconSize: [size, size] });
      return L.marker(at, { icon: icon, interactive: false, keyboard: false, zIndexOffset: above }).addTo(map);
    }
    /* A link of our own: a tap, Enter and a screen reader find in it what they find in the list. */
    function pin(row) {
      var above = -1000 * shown.length, name = row.querySelector('a'), link = document.createElement('a'), at = place(row.getAttribute('data-at'));
      link.className = 'pin';
      link.href = name.href;
      link.title = name.textContent;
      link.setAttribute('aria-label', name.textContent);
      link.textContent = row.getAttribute('data-number');
      var marker = put(link, at, 32, above); /* where they overlap, the first of the list is on top */
      L.DomEvent.disableClickPropagation(link);
      link.addEventListener('focus', function () {
        marker.setZIndexOffset(1000);
        looked = at;
        follow();
      }, false);
      link.addEventListener('blur', function () {
        marker.setZIndexOffset(above);
        looked = null;
      }, false);
      shown.push(at);
    }
    /* The pin that has the focus stays in view. A zoom under way would undo that, so it is done again at its end. */
    function follow() {
      if (looked) map.panInside(looked, { padding: [24, 24], animate: false });
    }
    function you(text) {
      var dot = document.createElement('span'), at = place(text);
      dot.className = 'here';
      dot.title = box.getAttribute('data-you');
      dot.setAttribute('role', 'img');
      dot.setAttribute('aria-label', dot.title);
      put(dot, at, 20, -100000);
      return at;
    }
    /* You in the middle, and the nearest around you; the others are a step farther away. */
    function around(middle) {
      var mirrored = [], i;
      for (i = 0; i < shown.length && i < nearest; i++) {
        mirrored.push(shown[i], [2 * middle[0] - shown[i][0], 2 * middle[1] - shown[i][1]]);
      }
      return mirrored;
    }

    document.getElementById('drawing').hidden = false;
    var calm = window.matchMedia && matchMedia('(prefers-reduced-motion: reduce)').matches;
    map = L.map(box, {
      attributionControl: false, zoomControl: false, scrollWheelZoom: false, maxZoom: 18,
      fadeAnimation: !calm, zoomAnimation: !calm, inertia: !calm
    });
    map.on('zoomend', follow);
    told = document.getElementById('told');
    L.tileLayer(box.getAttribute('data-tiles'), { maxZoom: 18 }).on('tileerror', function () {
      told.textContent = told.getAttribute('data-failed');
    }).addTo(map);
    var here = box.getAttribute('data-here');
    all('.outs [data-at]', pin);
    map.fitBounds(here ? around(you(here)) : shown, { padding: [28, 28], maxZoom: 16, animate: false });
    all('button[data-zoom]', function (button) {
      button.addEventListener('click', function () { map.setZoom(map.getZoom() + +button.getAttribute('data-zoom')); }, false);
    });
    document.getElementById('plain').hidden = true;
  }, false);
}());
