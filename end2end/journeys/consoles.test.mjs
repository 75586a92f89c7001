// The consoles of an Organization and of the fleet: one shell of pages, many members changed together and undone, the
// tokens of all members, the audit in place, health; on a desk, a tablet and a phone, with scripts and without.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Api } from "../harness/api.mjs";
import { accessible, awake, browser, device, fits, page, shot, sizes } from "../harness/browser.mjs";
import { quiet, signIn } from "../harness/person.mjs";
import { Server } from "../harness/server.mjs";

const NAMES = ["Ada Byte", "Ben Code", "Cem Data", "Dia Edge", "Eli Flow"];
let server, chrome, admin, api;
before(async () => {
  server = await Server.start();
  chrome = await browser();
  admin = await page(await device(chrome, server));
  await signIn(admin, server);
  api = await Api.signIn(server);
  for (const name of NAMES) {
    const email = `${name.split(" ")[0].toLowerCase()}@example.test`;
    const { status, body } = await api.ask("POST", "/api/v1/orgs/local/invitations", { email, role: "developer" });
    assert.equal(status, 201, JSON.stringify(body));
    const joining = await page(await device(chrome, server));
    await joining.goto(new URL(body.link, server.origin).pathname);
    await joining.getByLabel("Your name").fill(name);
    await joining.getByRole("button", { name: /^Join/ }).click();
    await joining.waitForURL(`${server.origin}/`);
    await joining.context().close();
  }
});
after(async () => {
  await chrome?.close();
  await server?.dispose();
});

const row = (at, name) => at.getByRole("row").filter({ hasText: name });
const choose = (at, name) => at.getByLabel(`Choose ${name}`);
const roles = async () => {
  const { body } = await api.ask("GET", "/api/v1/orgs/local/members");
  return Object.fromEntries(body.members.map(({ name, role, status }) => [name, `${role} ${status}`]));
};

test("many members are given a role, and an undo gives each their own back", async () => {
  await admin.goto("/org/members");
  await awake(admin);
  assert.equal(await admin.getByText("1 chosen").isVisible(), false);
  await choose(admin, "Ben Code").click();
  await choose(admin, "Eli Flow").click({ modifiers: ["Shift"] });
  await admin.getByText("4 chosen").waitFor();
  await shot(admin, "members-chosen-desk-light");
  await accessible(admin, "members that are chosen");
  await choose(admin, "Ben Code").click();
  await admin.getByText("3 chosen").waitFor();
  await admin.getByLabel("Role for all of them").selectOption("viewer");
  await admin.getByRole("button", { name: "Set role" }).click();
  await admin.getByText("3 members changed.").waitFor();
  const after = await roles();
  assert.equal(after["Cem Data"], "viewer active");
  assert.equal(after["Ben Code"], "developer active");
  await admin.getByRole("button", { name: "Undo" }).click();
  await admin.getByText("3 members changed back.").waitFor();
  for (const [name, held] of Object.entries(await roles())) if (NAMES.includes(name)) assert.equal(held, "developer active", name);
  quiet(admin);
});

test("what is refused for one is said, and done for the others; removing names what is lost", async () => {
  await admin.goto("/org/members");
  await awake(admin);
  await choose(admin, "Admin").check();
  await choose(admin, "Eli Flow").check();
  await admin.getByRole("button", { name: "Disable", exact: true }).click();
  const dialog = admin.getByRole("dialog");
  await dialog.getByText("Disable 2 members?").waitFor();
  await accessible(admin, "the question before disabling");
  await dialog.getByRole("button", { name: "Disable" }).click();
  await admin.getByText("1 not done").waitFor();
  await admin.getByText("This is you.").waitFor();
  assert.equal((await roles())["Eli Flow"], "developer disabled");
  await admin.getByRole("button", { name: "Undo" }).click();
  await admin.getByText("1 member changed back.").waitFor();
  assert.equal((await roles())["Eli Flow"], "developer active");

  await choose(admin, "Eli Flow").check();
  await admin.getByRole("button", { name: "Remove", exact: true }).click();
  await dialog.getByText("Remove 1 member?").waitFor();
  await dialog.getByText("They have no sessions.").waitFor();
  await shot(admin, "members-remove-desk-light");
  await dialog.getByRole("button", { name: "Remove" }).click();
  await row(admin, "Eli Flow").waitFor({ state: "detached" });
  quiet(admin);
});

test("the keyboard goes through the rows and chooses them", async () => {
  await admin.goto("/org/members");
  await awake(admin);
  await admin.keyboard.press("j");
  await admin.keyboard.press("j");
  await admin.keyboard.press("x");
  await admin.getByText("1 chosen").waitFor();
  await admin.keyboard.press("k");
  await admin.keyboard.press("x");
  await admin.getByText("2 chosen").waitFor();
  await admin.keyboard.press("x");
  await admin.getByText("1 chosen").waitFor();
  await admin.keyboard.press("/");
  assert.equal(await admin.evaluate(() => document.activeElement.name), "q");
  quiet(admin);
});

test("without scripts many are changed by a form, asked before they are removed, and changed back", async () => {
  const plain = await page(await device(chrome, server, { javaScriptEnabled: false }));
  await signIn(plain, server);
  await plain.goto("/org/members");
  await choose(plain, "Ada Byte").check();
  await choose(plain, "Ben Code").check();
  await plain.getByRole("button", { name: "Disable", exact: true }).click();
  await plain.getByText("2 of 2 done").waitFor();
  assert.equal((await roles())["Ada Byte"], "developer disabled");
  await plain.getByRole("button", { name: "Undo" }).click();
  await plain.getByText("2 of 2 done").waitFor();
  assert.equal((await roles())["Ada Byte"], "developer active");
  await plain.getByRole("link", { name: "Back to the list" }).click();
  await choose(plain, "Dia Edge").check();
  await plain.getByRole("button", { name: "Remove", exact: true }).click();
  await plain.getByText("Remove 1 member from the Organization?").waitFor();
  assert.equal((await roles())["Dia Edge"], "developer active", "nothing is done before the yes");
  await plain.getByRole("button", { name: "Remove" }).click();
  await plain.getByText("1 of 1 done").waitFor();
  assert.equal((await roles())["Dia Edge"], undefined);

  await plain.goto("/org/members");
  await plain.locator("summary", { hasText: "Invite somebody" }).click();
  await plain.getByLabel("E-mail address").fill("plain@example.test");
  await plain.getByRole("button", { name: "Make the link" }).click();
  const link = await plain.locator("code").first().textContent();
  assert.match(link, /\/join\/sbi_/);
  await plain.goto(link);
  await plain.getByRole("button", { name: /^Join/ }).waitFor();
  await plain.context().close();
});

test("the tokens of all members are in one list, and one is revoked after a question", async () => {
  for (const name of ["deploy", "nightly"]) assert.equal((await api.ask("POST", "/api/v1/tokens", { name })).status, 201);
  await admin.goto("/org/tokens");
  await awake(admin);
  await row(admin, "deploy").waitFor();
  await admin.getByLabel("Choose deploy of Admin").check();
  await admin.getByRole("button", { name: "Revoke" }).click();
  const dialog = admin.getByRole("dialog");
  await dialog.getByText("Revoke 1 token?").waitFor();
  await shot(admin, "tokens-revoke-desk-light");
  await accessible(admin, "the question before revoking");
  await dialog.getByRole("button", { name: "Revoke" }).click();
  await admin.getByText("1 token revoked.").waitFor();
  await row(admin, "deploy").waitFor({ state: "detached" });
  await row(admin, "nightly").waitFor();
  await admin.goto("/org/tokens?over=yes");
  await row(admin, "deploy").getByText("Revoked").waitFor();
  await admin.goto("/org/tokens?kind=browser&q=admin");
  await row(admin, "Admin").first().waitFor();
  await admin.goto("/org/tokens?q=nobody");
  await admin.getByText("Nothing fits").waitFor();
  quiet(admin);
});

test("the overview leads to what was done lately, and the palette to every page that is one's own to see", async () => {
  await admin.goto("/org");
  await awake(admin);
  const lately = admin.getByRole("region", { name: "Lately" });
  assert.equal(await lately.getByRole("listitem").count(), 8);
  await lately.getByRole("link", { name: "Access token revoked" }).first().click();
  await admin.waitForURL(/\/audit\/\d+$/);
  await admin.keyboard.press("Control+k");
  await admin.getByRole("combobox").fill("health");
  await admin.getByRole("option", { name: "Health of the fleet" }).waitFor();
  await admin.keyboard.press("Enter");
  await admin.waitForURL(/\/fleet\/health$/);
  await admin.getByText("Everything is well").waitFor();
  quiet(admin);
});

test("on a phone every page is reached by the dock, and the current one is in view", async () => {
  const phone = await page(await device(chrome, server, { size: "phone" }));
  await signIn(phone, server);
  await phone.goto("/");
  await awake(phone);
  await phone.getByRole("navigation", { name: "Pages, below" }).getByText("More").click();
  await phone.waitForURL(/\/more$/);
  await phone.goto("/org/members");
  await awake(phone);
  await choose(phone, "Ada Byte").check();
  await phone.getByText("1 chosen").waitFor();
  await phone.getByRole("button", { name: "Disable", exact: true }).scrollIntoViewIfNeeded();
  await shot(phone, "members-chosen-phone-light");
  await fits(phone, "a member that is chosen, on a phone");
  await phone.getByRole("navigation", { name: "Pages, below" }).getByText("More").click();
  await phone.waitForURL(/\/more$/);
  await phone.getByRole("link", { name: "Settings of the Organization" }).click();
  await phone.waitForURL(/\/org\/settings$/);
  const current = phone.getByRole("navigation", { name: "Pages of the Organization" }).locator("[aria-current]");
  await current.waitFor();
  await phone.waitForFunction(() => {
    const { left, right } = document.querySelector(".segments [aria-current]").getBoundingClientRect();
    return left >= 0 && right <= innerWidth;
  });
  await phone.context().close();
});

test("the consoles fit and read at three sizes, light and dark", async () => {
  const places = {
    more: "/more", "org-overview": "/org", "org-tokens": "/org/tokens", "org-browsers": "/org/tokens?kind=browser", "org-audit": "/org/audit", "org-secrets": "/org/secrets",
    "org-members": "/org/members", "org-quotas": "/org/quotas", "fleet-list": "/fleet", "fleet-audit": "/fleet/audit", "fleet-health": "/fleet/health",
  };
  for (const size of Object.keys(sizes)) {
    for (const scheme of ["light", "dark"]) {
      const context = await device(chrome, server, { size, scheme });
      const at = await page(context);
      await signIn(at, server);
      for (const [name, address] of Object.entries(places)) {
        assert.equal((await at.goto(address)).status(), 200, address);
        await awake(at);
        await shot(at, `${name}-${size}-${scheme}`);
        await accessible(at, `${address} (${size}, ${scheme})`);
        await fits(at, `${address} (${size}, ${scheme})`);
      }
      quiet(at);
      await context.close();
    }
  }
});
