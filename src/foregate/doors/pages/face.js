/* The camera: says what to do, takes pictures, sends them, says what came of it. Without it pictures are chosen. ES5. */
(function () {
  'use strict';
  var box = document.getElementById('face'), upload = document.getElementById('upload');
  var chosen = document.getElementById('f-pictures'), canvas = document.createElement('canvas');
  if (!box || !canvas.toDataURL) return;
  var video = box.querySelector('video'), told = box.querySelector('.say'), ways = box.querySelector('.ways');
  var button = box.querySelector('button'), media = navigator.mediaDevices;
  var step = box.getAttribute('data-step'), version = +box.getAttribute('data-version');
  /* Pictures to match weigh 8 KB at the most, five of them 40: that is little on a bad line, and enough to match. */
  var STILL = { count: 5, side: 480, heavy: 8000, pause: 280 };
  /* A gesture is followed, not matched: smaller pictures do, and two gestures are sent in half a minute on a 2G line. */
  var MOVE = { count: 12, side: 320, heavy: 3000, pause: 360 }, READY = 900;
  /* What is wrong is said while the camera runs, and looked at again: so often by itself, then by a tap. */
  var HINTS = 5, HINT = 2600, DARK = 40, GLANCES = 6;
  var stream = null, hints = 0;

  function say(what) { told.textContent = what; }
  function text(name) { return box.getAttribute('data-' + name) || ''; }
  function moved(to) {
    version = to;
    [].forEach.call(document.getElementsByName('version'), function (field) { field.value = to; });
  }
  function leave() { stop(); location.replace(text('page')); }
  function later(work, wait) { setTimeout(function () { if (stream) work(); }, wait); }
  function stop() {
    if (stream) stream.getTracks().forEach(function (track) { track.stop(); });
    stream = null;
    video.hidden = true;
  }
  function rest(what) {
    stop();
    say(what);
    button.hidden = false;
    button.textContent = text('again');
    told.focus();
  }
  function post(path, body, done) {
    var request = new XMLHttpRequest();
    request.open('POST', text('api') + path);
    request.setRequestHeader('Content-Type', 'application/json');
    request.onload = function () {
      var answer = null;
      try { answer = JSON.parse(request.responseText); } catch (wrong) { leave(); return; }
      done(answer);
    };
    request.onerror = leave;
    request.send(JSON.stringify(body));
  }
  function draw(source, width, height, side) {
    var scale = Math.min(1, side / Math.max(width, height));
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
    canvas.getContext('2d').drawImage(source, 0, 0, canvas.width, canvas.height);
  }
  function picture(kind) {
    var quality = 0.7, shot;
    draw(video, video.videoWidth, video.videoHeight, kind.side);
    do {
      shot = canvas.toDataURL('image/jpeg', quality).split(',')[1];
      quality -= 0.1;
    } while (shot.length * 0.75 > kind.heavy && quality > 0.15);
    return shot;
  }
  function isDark() {
    var sum = 0, index, seen;
    draw(video, video.videoWidth, video.videoHeight, 32);
    seen = canvas.getContext('2d').getImageData(canvas.width / 4, canvas.height / 4, canvas.width / 2, canvas.height / 2).data;
    for (index = 0; index < seen.length; index += 4) sum += seen[index] + seen[index + 1] + seen[index + 2];
    return sum / (seen.length * 0.75) < DARK;
  }
  function take(kind, done) {
    var pictures = [], timer = setInterval(function () {
      if (!stream) { clearInterval(timer); return; }
      pictures.push(picture(kind));
      if (pictures.length === kind.count) { clearInterval(timer); done(pictures); }
    }, kind.pause);
  }
  function offer(remedies) {
    ways.textContent = '';
    remedies.forEach(function (remedy) {
      var item = document.createElement('li'), link = document.createElement('a');
      if (remedy.journey === 'try-again' || remedy.journey === 'wait') return;
      link.textContent = remedy.title;
      link.href = remedy.href === text('page') ? '#ways' : remedy.href;
      item.appendChild(link);
      ways.appendChild(item);
    });
    ways.hidden = !ways.firstChild;
  }
  function refused(problem, part, answer) {
    var journey = problem.journey, field = problem.fields && problem.fields[0], now = journey && journey.step;
    var goesOn = journey && journey.status === 'open' && now && now.name === step;
    if (journey) moved(journey.version);
    say(problem.title + '\n' + problem.detail);
    /* Better pictures mend it, and what was asked for still is: the camera stays on. */
    if (part && goesOn && problem.status === 422 && (!field || field.name === 'pictures') &&
        (step !== 'face' || now.facts.part === part) && hints < HINTS) {
      hints += 1;
      later(function () { ask(part, answer); }, HINT);
      return;
    }
    offer(problem.remedies || []);
    rest(field && field.name !== 'pictures' ? field.detail : problem.title + '\n' + problem.detail);
    button.hidden = !goesOn;
  }
  function show(journey) {
    var now = journey.step;
    moved(journey.version);
    if (journey.status !== 'open' || !now || now.name !== step || !now.facts.part) { leave(); return; }
    ask(now.facts.part, { challenge: now.facts.challenge, part: now.facts.part });
  }
  function ask(part, answer) {
    var isStill = part === 'look-straight', glances = 0;
    function look() {
      say(text('part-' + part));
      later(function () {
        take(isStill ? STILL : MOVE, function (pictures) {
          say(text('sending'));
          answer.pictures = pictures;
          post('/pictures', { version: version, step: step, answer: answer }, function (said) {
            if (said.cause) refused(said, part, answer); else show(said);
          });
        });
      }, isStill ? READY : 0);
    }
    (function glance() {
      glances += 1;
      if (!isStill || glances > GLANCES || !isDark()) { look(); return; }
      say(text('dark'));
      later(glance, READY);
    }());
  }
  function go() {
    var consent = document.getElementById('f-consent');
    hints = 0;
    if (step !== 'face') { ask('look-straight', { consent: !!(consent && consent.checked) }); return; }
    post('/answers', { version: version, step: 'begin', answer: {} }, function (said) {
      if (said.cause) refused(said); else show(said);
    });
  }
  function failed(why) {
    upload.hidden = false;
    rest(text({ NotAllowedError: 'denied', NotFoundError: 'no-camera' }[why.name] || 'in-use'));
  }

  /* A phone's own camera makes pictures of megabytes: they are made smaller before they travel. */
  if (chosen && window.createImageBitmap && window.DataTransfer && canvas.toBlob) {
    chosen.form.addEventListener('submit', function (event) {
      var files = [].slice.call(chosen.files), asked = document.createElement('input'), small;
      if (!files.length || event.defaultPrevented) return;
      try { small = new DataTransfer(); } catch (old) { return; }
      event.preventDefault();
      asked.type = 'hidden';
      asked.name = 'step';
      asked.value = step;
      chosen.form.appendChild(asked);
      (function next() {
        var file = files.shift();
        if (!file) { chosen.files = small.files; chosen.form.submit(); return; }
        createImageBitmap(file).then(function (seen) {
          draw(seen, seen.width, seen.height, 640);
          canvas.toBlob(function (blob) { small.items.add(new File([blob], 'p.jpg', { type: 'image/jpeg' })); next(); }, 'image/jpeg', 0.8);
        }).then(null, function () { small.items.add(file); next(); });
      }());
    }, false);
  }

  if (!media || !media.getUserMedia) return;
  box.hidden = false;
  upload.hidden = !text('asked');
  button.addEventListener('click', function () {
    button.hidden = true;
    ways.hidden = true;
    say(text('starting'));
    media.getUserMedia({ video: { facingMode: 'user', width: { ideal: 640 }, height: { ideal: 480 } }, audio: false }).then(function (opened) {
      stream = opened;
      video.hidden = false;
      video.srcObject = opened;
      video.onloadedmetadata = function () { video.onloadedmetadata = null; video.play(); go(); };
    }, failed);
  }, false);
  window.addEventListener('pagehide', stop, false);
}());
