/* The camera: says what to do, takes pictures, sends them, says what came of it. Without it pictures are chosen. ES5. */
(function () {
  'use strict';
  var box = document.getElementById('face'), upload = document.getElementById('upload');
  var media = navigator.mediaDevices;
  if (!box || !media || !media.getUserMedia || !document.createElement('canvas').toDataURL) return;
  var video = box.querySelector('video'), told = box.querySelector('.say'), ways = box.querySelector('.ways');
  var button = box.querySelector('button'), canvas = document.createElement('canvas');
  var step = box.getAttribute('data-step'), version = +box.getAttribute('data-version');
  /* Pictures to match weigh 8 KB at the most, five of them 40: that is little on a bad line, and enough to match. */
  var SIDE = 480, HEAVY = 8000, STILLS = 5, MOVES = 14, PAUSE = 280, READY = 900;
  var stream = null;

  function say(what) { told.textContent = what; }
  function text(name) { return box.getAttribute('data-' + name) || ''; }
  function leave() { stop(); location.replace(box.getAttribute('data-page')); }
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
    request.open('POST', box.getAttribute('data-api') + path);
    request.setRequestHeader('Content-Type', 'application/json');
    request.onload = function () {
      var answer = null;
      try { answer = JSON.parse(request.responseText); } catch (wrong) { leave(); return; }
      done(answer);
    };
    request.onerror = leave;
    request.send(JSON.stringify(body));
  }
  function picture() {
    var scale = SIDE / Math.max(video.videoWidth, video.videoHeight), quality = 0.7, shot;
    canvas.width = Math.round(video.videoWidth * scale);
    canvas.height = Math.round(video.videoHeight * scale);
    canvas.getContext('2d').drawImage(video, 0, 0, canvas.width, canvas.height);
    do {
      shot = canvas.toDataURL('image/jpeg', quality).split(',')[1];
      quality -= 0.1;
    } while (shot.length * 0.75 > HEAVY && quality > 0.25);
    return shot;
  }
  function take(count, done) {
    var pictures = [], timer = setInterval(function () {
      if (!stream) { clearInterval(timer); return; }
      pictures.push(picture());
      if (pictures.length === count) { clearInterval(timer); done(pictures); }
    }, PAUSE);
  }
  function refused(problem) {
    var journey = problem.journey, item, link;
    if (journey) version = journey.version;
    ways.textContent = '';
    (problem.remedies || []).forEach(function (remedy) {
      if (remedy.journey === 'try-again' || remedy.journey === 'wait') return;
      item = document.createElement('li');
      link = document.createElement('a');
      link.textContent = remedy.title;
      link.href = remedy.href === box.getAttribute('data-page') ? '#ways' : remedy.href;
      item.appendChild(link);
      ways.appendChild(item);
    });
    ways.hidden = false;
    rest(problem.title + '\n' + problem.detail);
    if (problem.fields && problem.fields[0].name !== 'pictures') say(problem.fields[0].detail);
    if (!journey || journey.status !== 'open' || !journey.step || journey.step.name !== step) button.hidden = true;
  }
  function show(journey) {
    var now = journey.step;
    version = journey.version;
    if (journey.status !== 'open' || !now || now.name !== step || !now.facts.part) { leave(); return; }
    ask(now.facts.part, { challenge: now.facts.challenge, part: now.facts.part });
  }
  function ask(part, answer) {
    var isStill = part === 'look-straight';
    say(text('part-' + part));
    setTimeout(function () {
      take(isStill ? STILLS : MOVES, function (pictures) {
        say(text('sending'));
        answer.pictures = pictures;
        post('/pictures', { version: version, step: step, answer: answer }, function (said) {
          if (said.cause) refused(said); else show(said);
        });
      });
    }, isStill ? READY : PAUSE);
  }
  function go() {
    var consent = document.getElementById('f-consent');
    if (step === 'face') {
      post('/answers', { version: version, step: 'begin', answer: {} }, function (said) {
        if (said.cause) refused(said); else show(said);
      });
    } else ask('look-straight', { consent: !!(consent && consent.checked) });
  }

  box.hidden = false;
  upload.hidden = true;
  button.addEventListener('click', function () {
    button.hidden = true;
    ways.hidden = true;
    say(text('starting'));
    media.getUserMedia({ video: { facingMode: 'user', width: { ideal: 640 }, height: { ideal: 480 } }, audio: false }).then(function (opened) {
      stream = opened;
      video.hidden = false;
      video.srcObject = opened;
      video.onloadedmetadata = function () { video.onloadedmetadata = null; video.play(); go(); };
    }, function () {
      upload.hidden = false;
      rest(text('no-camera'));
    });
  }, false);
  window.addEventListener('pagehide', stop, false);
}());
