/* Looks every two seconds whether a message arrived; without it, reload the page. */
(function () {
  'use strict';
  var list = document.getElementById('messages'), newest = list.getAttribute('data-newest');
  function look() {
    var request = new XMLHttpRequest();
    request.open('GET', list.getAttribute('data-from'));
    request.onload = function () {
      var found = request.status === 200 ? JSON.parse(request.responseText) : [];
      if (found.length && found[0].id !== newest) { location.reload(); return; }
      setTimeout(look, 2000);
    };
    request.onerror = function () { setTimeout(look, 5000); };
    request.send();
  }
  look();
}());
