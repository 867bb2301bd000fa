// Walks the sign-in in Firefox by WebDriver BiDi: no driver is downloaded, Firefox speaks it by itself.
// Reads one JSON line on standard input, writes one JSON line for each page it stands on, and waits for what to type.
// The end of its input is the end of Firefox. Whoever waits for this process has to close that input first: an open one
// keeps Node alive. Run it in the folder that has `node_modules`.
import { createRequire } from 'node:module';
import readline from 'node:readline';

const puppeteer = createRequire(process.cwd() + '/')('puppeteer-core');
const lines = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const told = JSON.parse((await lines.next()).value);
const browser = await puppeteer.launch({
  browser: 'firefox', acceptInsecureCerts: true, executablePath: told.program, headless: true,
  timeout: 60000, protocolTimeout: 60000,
  extraPrefsFirefox: { 'intl.accept_languages': told.language },
});
try {
  const page = await browser.newPage();
  page.setDefaultTimeout(60000);
  const problems = [];
  page.on('pageerror', (error) => problems.push(String(error)));
  // A navigation may replace the page while it is asked: ask again until what is looked for stands there.
  const until = async (selector) => {
    for (let tries = 0; tries < 600; tries++) {
      try {
        const isThere = (wanted) => document.readyState === 'complete' && !!document.querySelector(wanted);
        if (await page.evaluate(isThere, selector)) return;
      } catch (error) { /* between two pages */ }
      await new Promise((done) => setTimeout(done, 100));
    }
    throw new Error('there is no ' + selector + ' at ' + page.url());
  };
  await page.goto(told.origin + '/', { waitUntil: 'domcontentloaded' });
  for await (const line of lines) {
    const order = JSON.parse(line);
    if (order.fill) {
      await until(order.fill);
      await page.evaluate((wanted) => { document.querySelector(wanted).value = ''; }, order.fill);
      await page.type(order.fill, order.value);
    }
    if (order.press) await page.evaluate((wanted) => { document.querySelector(wanted).click(); }, order.press);
    if (order.find) await until(order.find);
    const seen = await page.evaluate(() => ({
      path: location.pathname, title: document.title, text: document.body.innerText,
      focus: document.activeElement ? document.activeElement.id : '',
      script: !!document.querySelector('script[src]'),
    }));
    console.log(JSON.stringify(Object.assign(seen, { problems })));
  }
} finally {
  await browser.close();
}
