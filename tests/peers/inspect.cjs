// Looks at the page of `ampersand inspect` in a real browser, as its users do.
// PEERS_AMPERSAND and PEERS_CHROMIUM name the programs. With SCREENSHOTS, pictures are put into that folder.
// Not a module, as those are not looked for where NODE_PATH says.

const assert = require("node:assert/strict");
const { execFile, spawn } = require("node:child_process");
const fs = require("node:fs");
const http = require("node:http");
const os = require("node:os");
const path = require("node:path");
const { promisify } = require("node:util");
const axe = require("axe-core");
const { chromium } = require("playwright-core");
const { Webhook } = require("svix");

const AMPERSAND = process.env.PEERS_AMPERSAND;
const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const OTHER = "whsec_bm90IGEgc2VjcmV0LCBidXQgYSBkb2N1bWVudA==";
const folder = fs.mkdtempSync(path.join(os.tmpdir(), "inspect-"));
const children = [];

// Runs a program, while the application below goes on answering.
const env = { ...process.env, AMPERSAND_WEBHOOK_SECRET: SECRET };
const run = async (program, args) => (await promisify(execFile)(program, args, { env, maxBuffer: 1 << 28 })).stdout;
const trigger = (...args) => run(AMPERSAND, ["trigger", ...args]);

// Starts `ampersand`, and gives the URLs that it says.
function start(args, { secret = SECRET, input = "ignore" } = {}) {
  const child = spawn(AMPERSAND, args, { env: { ...env, AMPERSAND_WEBHOOK_SECRET: secret }, stdio: [input, "ignore", "pipe"] });
  children.push(child);
  return new Promise((resolve, reject) => {
    let said = "";
    child.stderr.on("data", (data) => {
      said += data;
      const page = said.match(/http:\/\/127\.0\.0\.1:\d+\/[0-9a-f]{32}\//)?.[0];
      const listens = said.match(/listening at (http:\S+),/)?.[1];
      if (page && (listens || args[0] === "inspect")) resolve({ child, page, url: listens });
    });
    child.on("exit", (code) => reject(new Error(`ampersand ended with ${code}: ${said}`)));
  });
}

// An application behind the page: it keeps what it gets, and has a configuration to download.
const taken = [];
const config = { provider: "hubspot", read: { objects: { contacts: { objectName: "contacts", schedule: "@daily" } } } };
const application = http.createServer((request, response) => {
  const parts = [];
  request.on("data", (part) => parts.push(part));
  request.on("end", () => {
    if (request.method === "GET") return response.end(JSON.stringify(config));
    taken.push({ headers: request.headers, body: Buffer.concat(parts) });
    response.writeHead(request.url === "/broken" ? 500 : 202).end("thank you");
  });
});

const errors = [];
let requests = [];

async function open(browser, url, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, acceptDownloads: true, ...options });
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
  page.on("pageerror", (error) => errors.push(error.stack));
  page.on("dialog", (dialog) => errors.push(`a dialog: ${dialog.message()}`));
  page.on("request", (request) => requests.push(request.url()));
  await page.goto(url);
  await page.getByRole("status").filter({ hasText: "live" }).waitFor();
  return page;
}

const rows = (page) => page.locator('#list [role="option"]');
const section = (page, name) => page.getByRole("region", { name, exact: true });
const clipboard = (page) => page.evaluate(() => navigator.clipboard.readText());

async function choose(page, text) {
  await rows(page).filter({ hasText: text }).first().click();
  await page.getByRole("article").waitFor();
}

// Tries again until it holds, as the page follows what happens elsewhere.
async function until(what) {
  for (let tries = 0; ; tries += 1) {
    try {
      return await what();
    } catch (error) {
      if (tries === 100) throw error;
      await new Promise((wake) => setTimeout(wake, 50));
    }
  }
}

async function noFindings(page, view) {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() => axe.run());
  const found = violations.map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map((node) => node.html).join(" ")}`);
  assert.deepEqual(found, [], view);
}

const views = {
  "a list that grows, a chart, and how fast the application answers": async ({ page, url }) => {
    await page.getByText("Nothing came yet").waitFor();
    await noFindings(page, "an empty list");
    await trigger("--all", "--seed", "1", "--to", url);
    await page.getByRole("heading", { name: "17 deliveries" }).waitFor();
    assert.match(await rows(page).first().innerText(), /webhook \d.*202 in \d+ ms/s);
    await page.getByRole("img", { name: /^17 deliveries from/ }).waitFor();
    await page.getByText(/answers: half within \d+ ms/).waitFor();
  },

  "every field with what the contract says of it, and what it does not have": async ({ page, url }) => {
    await trigger("installation.created", "--seed", "2", "--to", url, "--set", 'retired={"why": 1}', "--set", "groupRef=marked");
    await choose(page, "marked");
    const payload = section(page, "Payload");
    await payload.getByText("Your application's own identifier for the group", { exact: false }).first().waitFor();
    const retired = payload.locator("summary", { hasText: "retired" });
    assert.match(await retired.innerText(), /new field/);
    assert.equal(await payload.locator(".mark").count(), 1);
    await retired.click(); // closes it
    await payload.locator(".name", { hasText: /^why$/ }).waitFor({ state: "detached" });
  },

  "a signature, step by step": async ({ page, url }) => {
    const body = '{"notificationType": "connection.deleted", "data": {}}';
    const at = new Date(Date.now() - 3600e3);
    const headers = {
      "content-type": "application/json",
      "svix-id": "msg_old",
      "svix-timestamp": String(Math.floor(at / 1000)),
      "svix-signature": new Webhook(OTHER).sign("msg_old", at, body),
    };
    assert.equal((await fetch(url, { method: "POST", headers, body })).status, 401);
    await choose(page, "refused with 401");
    const steps = await section(page, "Signature").getByRole("listitem").allInnerTexts();
    const found = steps.map((step) => step.replace(/\s+/g, " "));
    assert.equal(found.length, 4);
    assert.match(found[0], /^right Headers svix-id/);
    assert.match(found[1], /^wrong Time signed at .*it came 1h .*300 s are allowed/);
    assert.match(found[2], /^- Signed text msg_old\.\d+\.\{"notificationType/);
    assert.match(found[3], /^wrong Signature .*2 tried/);
    await choose(page, "marked");
    await section(page, "Signature").getByText("right, with secret 1 of 2").waitFor();
  },

  "what an update changed, side by side": async ({ page }) => {
    await choose(page, "installation.updated");
    const changed = section(page, "What changed");
    await changed.getByText("the schedule changed from").waitFor();
    const cells = await changed.locator("tr.changed", { hasText: "schedule" }).locator("td").allInnerTexts();
    assert.deepEqual(cells, ["schedule", '"*/30 * * * *"', '"*/10 * * * *"']);
    assert.equal(await changed.locator("tr", { hasText: "provider" }).getAttribute("class"), "");
  },

  "a configuration that was too large to send, and how long its URL is valid": async ({ page, url, behind }) => {
    const expires = Math.floor(Date.now() / 1000) + 600;
    const signed = `${behind}config?Expires=${expires}&Signature=s`;
    await trigger("installation.updated", "--to", url, "--set", "config=null", "--set", `configURL=${signed}`, "--set", "groupRef=large");
    await choose(page, "large");
    const missing = section(page, "Too large to send");
    await missing.getByText(/is at 127\.0\.0\.1; its URL is valid for 9 min/).waitFor();
    await section(page, "What changed").getByText("was too large to send").waitFor();
    await missing.getByRole("button", { name: "Download" }).click();
    await section(page, "What changed").locator("td", { hasText: "@daily" }).waitFor();
    assert.equal(await missing.count(), 0);
    await section(page, "Payload").getByText('"hubspot"').first().waitFor();
  },

  "what came, to the byte": async ({ page }) => {
    await choose(page, "marked");
    const raw = await section(page, "Raw, as it came").locator("pre").innerText();
    const saved = async (name) => {
      const [file] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name }).click()]);
      assert.match(file.suggestedFilename(), /^\d{4}\.(json|headers)$/);
      return fs.readFileSync(await file.path());
    };
    const [body, headers] = [await saved("Save body"), await saved("Save headers")];
    assert.equal(body.toString(), raw);
    fs.writeFileSync(path.join(folder, "saved.headers"), headers);
    fs.writeFileSync(path.join(folder, "saved.json"), body);
    const names = ["saved.headers", "saved.json"].map((name) => path.join(folder, name));
    await run(AMPERSAND, ["verify", "--headers", ...names]);
    await section(page, "Headers").getByText("svix-signature").waitFor();
  },

  "sending again: as it came, and edited and signed anew": async ({ page, behind }) => {
    await choose(page, "marked");
    const before = await section(page, "Raw, as it came").locator("pre").innerText();
    const id = await page.locator(".facts dd", { hasText: "msg_" }).innerText();
    await page.getByRole("button", { name: "Send again" }).click();
    await noFindings(page, "the form");
    const send = async (answer) => {
      taken.length = 0;
      await page.getByRole("button", { name: "Send", exact: true }).click();
      await page.getByRole("status", { name: "Answer" }).filter({ hasText: answer }).waitFor();
      return taken[0];
    };
    await page.getByLabel("sign it anew").uncheck();
    const same = await send("202 in");
    assert.equal(same.body.toString(), before);
    assert.equal(same.headers["svix-id"], id);
    await page.getByRole("textbox", { name: "Body" }).fill(before.replace("marked", "edited"));
    const stale = await send("202 in");
    assert.throws(() => new Webhook(SECRET).verify(stale.body, stale.headers));
    await page.getByLabel("sign it anew").check();
    const fresh = await send("202 in");
    assert.equal(fresh.headers["svix-id"], id);
    await page.getByLabel("with a new id").check();
    await page.getByRole("textbox", { name: "URL" }).fill(`${behind}broken`);
    const other = await send("500 in");
    assert.notEqual(other.headers["svix-id"], id);
    for (const { body, headers } of [fresh, other]) {
      assert.equal(new Webhook(SECRET).verify(body, headers).data.groupRef, "edited");
    }
    await page.getByRole("textbox", { name: "URL" }).fill("http://127.0.0.1:1/");
    await page.getByRole("button", { name: "Send", exact: true }).click();
    await page.getByRole("status", { name: "Answer" }).filter({ hasText: "nothing listens" }).waitFor();
    errors.splice(0, errors.length, ...errors.filter((error) => !error.includes("502")));
  },

  "copying as a command and as a test": async ({ page }) => {
    await choose(page, "installation.deleted");
    const raw = await section(page, "Raw, as it came").locator("pre").innerText();
    await page.getByRole("button", { name: "Copy as curl" }).click();
    await page.getByText("copied the command").waitFor();
    taken.length = 0;
    await run("sh", ["-c", `${await clipboard(page)} --silent --noproxy '*'`]);
    assert.equal(taken[0].body.toString(), raw);
    new Webhook(SECRET).verify(taken[0].body, taken[0].headers);
    await page.getByRole("button", { name: "Copy as Rust test" }).click();
    await page.getByText("copied the test").waitFor();
    assert.match(await clipboard(page), /^#\[test\]\nfn receives_installation_deleted\(\)/);
  },

  "comparing two deliveries": async ({ page }) => {
    await choose(page, "connection.created");
    await page.getByRole("button", { name: "Compare" }).click();
    await page.getByRole("button", { name: "Now choose another" }).waitFor();
    const compared = page.getByRole("region", { name: /^Compared with connection.created/ });
    await choose(page, "connection.deleted");
    await compared.getByText("They are the same").waitFor();
    await choose(page, "connection.error");
    await compared.locator("tr.changed", { hasText: "errors" }).waitFor();
    await noFindings(page, "a comparison");
    await choose(page, "connection.created");
    await page.getByRole("button", { name: "Now choose another" }).click();
  },

  "filters and a search": async ({ page }) => {
    const shown = async (pattern) => page.getByRole("heading", { level: 1 }).filter({ hasText: pattern }).waitFor();
    await page.getByRole("searchbox").fill("RETIRED");
    await shown(/^1 of \d+ deliveries/);
    await page.getByRole("searchbox").fill("");
    await page.locator("summary", { hasText: "Filter" }).click();
    await noFindings(page, "filters");
    const reset = { Group: "", Installation: "" };
    for (const [label, value, pattern] of [
      ["Type", "connection.error", /^1 of/], ["Group", "marked", /^1 of/], ["Installation", "no such one", /^0 of/],
      ["Verdict", "bad", /^1 of/], ["Time", "minute", /^\d+ deliveries/], ["Size", "1000000", /^0 of/], ["Source", "webhook", /^19 of/],
    ]) {
      const field = page.locator(".filters label").filter({ hasText: new RegExp(`^${label}`) }).locator("select, input");
      if (label in reset) await field.fill(value);
      else await field.selectOption(value);
      await shown(pattern);
      if (label in reset) await field.fill("");
      else await field.selectOption("");
    }
    await page.locator("summary", { hasText: "Filter" }).click();
  },

  "the keyboard alone": async ({ browser, live }) => {
    const page = await open(browser, live);
    const focused = () => page.evaluate(() => document.activeElement.id);
    for (let tabs = 0; (await focused()) !== "list"; tabs += 1) {
      assert.ok(tabs < 10, "the list can be reached");
      await page.keyboard.press("Tab");
    }
    const chosen = () => page.locator('[aria-selected="true"]').getAttribute("id");
    await page.keyboard.press("ArrowDown");
    const first = await chosen();
    await page.keyboard.press("ArrowDown");
    assert.notEqual(await chosen(), first);
    await page.keyboard.press("End");
    await page.keyboard.press("Home");
    assert.equal(await chosen(), first);
    await page.getByRole("article").waitFor();
    await page.keyboard.press("Enter");
    assert.equal(await focused(), "delivery");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Send", exact: true }).waitFor();
    await page.keyboard.press("Escape");
    assert.equal(await focused(), "list");
    await page.keyboard.press("/");
    assert.equal(await focused(), "search");
    await page.keyboard.type("connection.error");
    await page.getByRole("heading", { name: /^1 of/ }).waitFor();
    await page.context().close();
  },

  "a payload that is hostile": async ({ page, url }) => {
    const evil = '</script><script>alert(1)</script><img src=x onerror=alert(2)><a href="javascript:alert(3)">x</a>';
    await trigger("connection.error", "--to", url, "--set", `groupRef=${evil}`, "--set", `${"x".repeat(20)}<b>=1`, "--set", "consumerName=\u202egnp.exe");
    await choose(page, "</script>");
    await section(page, "Payload").getByText(evil.slice(0, 30), { exact: false }).first().waitFor();
    assert.equal(await page.locator("img, script:not([src='page.js']), article a[href^=javascript], article b b").count(), 0);
    const response = await fetch(url, { method: "POST", body: Buffer.from([0x3c, 0xff, 0x00, 0x3e]) });
    assert.equal(response.status, 401);
    await choose(page, "not a delivery");
  },

  "both themes, wide and narrow": async ({ browser, live }) => {
    for (const colorScheme of ["light", "dark"]) {
      for (const width of [1280, 400]) {
        const page = await open(browser, live, { colorScheme, viewport: { width, height: 900 } });
        await noFindings(page, `the list, ${colorScheme}, ${width}`);
        await picture(page, `list-${colorScheme}-${width}`);
        await choose(page, "installation.updated");
        await noFindings(page, `a delivery, ${colorScheme}, ${width}`);
        await picture(page, `delivery-${colorScheme}-${width}`);
        const wider = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
        assert.ok(wider <= 0, `nothing stands out at ${width}: ${wider}`);
        if (width === 400) {
          await page.getByRole("button", { name: "Back to the list" }).click();
          await rows(page).first().waitFor();
        }
        await page.context().close();
      }
    }
  },

  "only this page, and only for who knows its URL": async ({ live }) => {
    const { hostname, port, pathname } = new URL(live);
    const status = (path, headers = {}, method = "GET") =>
      new Promise((resolve, reject) => {
        const request = http.request({ hostname, port, path, method, headers }, (response) => {
          response.destroy();
          resolve(response.statusCode);
        });
        request.on("error", reject).end();
      });
    const own = `http://127.0.0.1:${port}`;
    assert.equal(await status(pathname), 200);
    assert.equal(await status("/"), 404);
    assert.equal(await status(`/${"0".repeat(32)}/`), 404);
    for (const path of [pathname, `${pathname}delivery/0`, `${pathname}events`]) {
      assert.equal(await status(path, { host: `evil.example:${port}` }), 403);
      assert.equal(await status(path, { origin: "http://evil.example" }), 403);
      assert.equal(await status(path, { "sec-fetch-site": "cross-site" }), 403);
      assert.equal(await status(path, { origin: own }), 200);
    }
    assert.equal(await status(`${pathname}send`, { origin: "null", "content-type": "application/json" }, "POST"), 403);
    assert.equal(await status(`${pathname}send`, { origin: own, "content-type": "text/plain" }, "POST"), 415);
    assert.ok(requests.every((url) => url.startsWith(own) || url.startsWith("data:")), "nothing is loaded from elsewhere");
  },

  "a folder that is kept, and followed": async ({ browser }) => {
    const kept = path.join(folder, "kept");
    const { child, page: live } = await start(["inspect", kept]);
    const page = await open(browser, live);
    await page.getByText("Nothing came yet").waitFor();
    await trigger("--all", "--save", kept);
    await page.getByRole("heading", { name: "17 deliveries" }).waitFor();
    await choose(page, "connection.error");
    await section(page, "Signature").getByText("right, with secret 1 of 1").waitFor();
    await page.context().close();
    child.kill();
  },

  "an inbox, and what becomes of it": async ({ browser, behind }) => {
    const store = `sqlite:${path.join(folder, "inbox.db")}`;
    const serve = spawn(AMPERSAND, ["serve", "--store", store, "--address", "0", "--admin", "none", "--forward", behind], {
      env, stdio: ["ignore", "ignore", "pipe"],
    });
    children.push(serve);
    const url = await new Promise((resolve) => {
      let said = "";
      serve.stderr.on("data", (data) => {
        said += data;
        const at = said.match(/http:\/\/127\.0\.0\.1:\d+(?=\D)/g)?.find((url) => !behind.startsWith(url));
        if (at) resolve(at);
      });
    });
    await trigger("connection.created", "--to", url, "--seed", "9");
    const { child, page: live } = await start(["inspect", "--store", store]);
    const page = await open(browser, live);
    await choose(page, "connection.created");
    await page.getByText("done, after 1 attempt").first().waitFor();
    await page.context().close();
    child.kill();
    serve.kill();
  },

  "ten thousand deliveries": async ({ browser }) => {
    const { child, page: live } = await start(["inspect", "-"], { input: "pipe" });
    child.stdin.end(await trigger("--all", "--count", "600"));
    const page = await open(browser, live);
    await page.getByRole("heading", { name: "10,000 deliveries" }).waitFor();
    assert.ok((await rows(page).count()) < 60, "only rows in sight are drawn");
    await rows(page).first().click();
    const slowest = page.evaluate(async () => {
      const list = document.getElementById("list");
      let [slowest, last] = [0, performance.now()];
      for (let step = 0; step < 120; step += 1) {
        list.scrollTop += list.scrollHeight / 120;
        await new Promise(requestAnimationFrame);
        const now = performance.now();
        [slowest, last] = [Math.max(slowest, now - last), now];
      }
      return slowest;
    });
    console.log(`  the slowest frame of 120, from one end to the other: ${Math.round(await slowest)} ms`);
    await page.locator("#list").press("End");
    await page.locator('[role="option"][aria-posinset="10000"][aria-selected="true"]').waitFor();
    await page.getByRole("searchbox").fill("stark");
    await page.getByRole("heading", { name: /^[\d,]+ of 10,000/ }).waitFor();
    await page.context().close();
    child.kill();
  },
};

async function picture(page, name) {
  const to = process.env.SCREENSHOTS;
  if (to) await page.screenshot({ path: path.join(to, `${name}.png`) });
}

async function main() {
  await new Promise((listens) => application.listen(0, "127.0.0.1", listens));
  const behind = `http://127.0.0.1:${application.address().port}/`;
  const args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync"];
  const browser = await chromium.launch({ executablePath: process.env.PEERS_CHROMIUM, args });
  const listen = ["listen", "127.0.0.1:0", "--inspect", "--forward", behind, "--allow-http", "--allow-private"];
  const { page: live, url } = await start(listen, { secret: `${SECRET},whsec_YW5vdGhlciBvbmUgb2YgdGhlIHNhbWU=` });
  const page = await open(browser, live);
  const only = process.argv[2] ?? "";
  for (const [name, view] of Object.entries(views).filter(([name]) => name.includes(only))) {
    console.log(name);
    await view({ browser, page, live, url, behind });
    assert.deepEqual(errors, [], name);
  }
  await browser.close();
}

main()
  .then(() => process.exitCode ?? 0, (error) => {
    console.error(error);
    return 1;
  })
  .then((code) => {
    children.forEach((child) => child.kill());
    fs.rmSync(folder, { recursive: true, force: true });
    process.exit(code);
  });
