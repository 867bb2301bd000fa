// Walks the sign-in in Firefox by WebDriver BiDi: no driver is downloaded, Firefox speaks it by itself.
// Reads one JSON line on standard input, writes one JSON line for each page it stands on, and waits for what to type.
import puppeteer from 'puppeteer-core';
import readline from 'node:readline';

const lines = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const next = async () => JSON.parse((await lines.next()).value);
const told = await next();
const browser = await puppeteer.launch({
  browser: 'firefox', executablePath: told.program, headless: true, timeout: 120000, protocolTimeout: 120000,
  extraPrefsFirefox: { 'intl.accept_languages': told.language },
});
try {
  const page = await browser.newPage();
  page.setDefaultTimeout(60000);
  const problems = [];
  page.on('pageerror', (error) => problems.push(String(error)));
  await page.goto(told.origin + '/');
  for (;;) {
    const order = await next();
    if (order.end) break;
    if (order.fill) {
      await page.waitForSelector(order.fill);
      await page.$eval(order.fill, (field) => { field.value = ''; });
      await page.type(order.fill, order.value);
    }
    if (order.press) await Promise.all([page.waitForNavigation(), page.click(order.press)]);
    if (order.find) await page.waitForSelector(order.find);
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
