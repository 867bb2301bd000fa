/* Looks every few seconds whether a file is ready, for five minutes; the form above is left alone. Without it the page
   loads itself again. */
(function () {
  'use strict';
  var made = document.getElementById('made'), looks = 100;
  function look() {
    var request = new XMLHttpRequest();
    request.open('GET', location.pathname);
    request.responseType = 'document';
    request.onload = function () {
      var found = request.status === 200 && request.response && request.response.getElementById('made');
      if (!found) { return; }
      if (found.textContent !== made.textContent) {
        while (made.firstChild) { made.removeChild(made.firstChild); }
        while (found.firstChild) { made.appendChild(document.adoptNode(found.firstChild)); }
      }
      if (found.hasAttribute('data-waiting')) { later(); }
    };
    request.onerror = later;
    request.send();
  }
  function later() {
    looks -= 1;
    if (looks > 0) { setTimeout(look, 3000); }
  }
  later();
}());
