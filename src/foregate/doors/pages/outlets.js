/* Near me: asks the browser where it is, after a tap, and sends it rounded to about a kilometre. ES5. */
(function () {
  'use strict';
  var box = document.getElementById('near'), form = document.getElementById('main-form');
  if (!box || !form || !navigator.geolocation) return;
  var button = box.querySelector('button'), told = box.querySelector('[role=status]');

  function say(what) { told.textContent = told.getAttribute('data-' + what) || ''; }
  function put(name, value) {
    var input = form.querySelector('input[name=' + name + ']');
    if (!input) {
      input = document.createElement('input');
      input.type = 'hidden';
      input.name = name;
      form.appendChild(input);
    }
    input.value = value;
  }

  box.hidden = false;
  button.addEventListener('click', function () {
    say('asking');
    button.disabled = true;
    navigator.geolocation.getCurrentPosition(function (here) {
      put('lat', here.coords.latitude.toFixed(2));
      put('lon', here.coords.longitude.toFixed(2));
      form.querySelector('input[name=q]').value = '';
      form.submit();
    }, function (why) {
      button.disabled = false;
      say(why.code === 1 ? 'denied' : 'failed');
    }, { timeout: 10000, maximumAge: 600000 });
  }, false);
}());
