// An identity provider that a company would have: the certified `oidc-provider`, on this machine, shaped like a Keycloak
// realm: group paths, realm_access.roles, org_id, back-channel logout, refresh tokens that rotate, accounts that can be
// changed and disabled while it runs.
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { createServer } from "node:http";
import Provider from "oidc-provider";

const grant = async (ctx) => {
  // A session keeps its grant, as in Keycloak: a new one would end what was refreshed under it.
  const kept = ctx.oidc.session.grantIdFor(ctx.oidc.client.clientId);
  const found = kept && (await ctx.oidc.provider.Grant.find(kept));
  if (found) return found;
  const made = new ctx.oidc.provider.Grant({ clientId: ctx.oidc.client.clientId, accountId: ctx.oidc.session.accountId });
  made.addOIDCScope("openid profile email");
  return made.save().then(() => made);
};

export class Realm {
  client = { id: "sandbox", secret: randomBytes(24).toString("base64url") };
  /** How a person fills in its form; other providers have other forms. */
  form = { username: "#username", password: "#password", submit: "#kc-login", signOut: "#kc-logout" };
  people = new Map();

  /** Takes a port, and answers 503 until it is opened: an installation may start before its provider. */
  static async start() {
    const realm = new Realm();
    realm.http = createServer((request, response) => realm.answer(request, response)).listen(0, "127.0.0.1");
    await new Promise((resolve) => realm.http.once("listening", resolve));
    realm.issuer = `http://127.0.0.1:${realm.http.address().port}`;
    return realm;
  }

  answer = (_, response) => response.writeHead(503).end();

  /** Somebody with an account: `claims` as a realm's mappers write them. */
  add(name, password, claims) { this.people.set(name, { password, claims, disabled: false }); }

  /** Opens for an installation at this address. */
  open(origin, { id = "realm", accessSeconds = 2 } = {}) {
    const find = (name) => {
      const person = this.people.get(name);
      if (!person || person.disabled) return undefined;
      return { accountId: name, claims: () => ({ sub: name, ...person.claims }) };
    };
    this.provider = new Provider(this.issuer, {
      clients: [{
        client_id: this.client.id, client_secret: this.client.secret, grant_types: ["authorization_code", "refresh_token"],
        response_types: ["code"], redirect_uris: [`${origin}/auth/callback/${id}`], post_logout_redirect_uris: [`${origin}/sign-in`],
        backchannel_logout_uri: `${origin}/auth/backchannel-logout/${id}`, backchannel_logout_session_required: true,
      }],
      jwks: { keys: [{ ...generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ format: "jwk" }), use: "sig", kid: "one" }] },
      cookies: { keys: [randomBytes(24).toString("hex")] },
      claims: { openid: ["sub", "sid"], profile: ["name", "preferred_username", "org_id", "groups", "realm_access", "tier", "capabilities"], email: ["email", "email_verified"] },
      conformIdTokenClaims: false,
      features: { devInteractions: { enabled: false }, backchannelLogout: { enabled: true }, rpInitiatedLogout: { enabled: true, logoutSource: (ctx, form) => {
        ctx.body = `<!DOCTYPE html><title>Sign out</title>${form}<button id="kc-logout" type="submit" form="op.logoutForm" value="yes" name="logout">Sign out</button>`;
      } } },
      findAccount: (_, name) => find(name),
      loadExistingGrant: grant,
      issueRefreshToken: async () => true,
      rotateRefreshToken: true,
      interactions: { url: (_, interaction) => `/login/${interaction.uid}` },
      ttl: { AccessToken: accessSeconds, IdToken: 300, RefreshToken: 3600, Session: 3600, Grant: 3600, Interaction: 600 },
      // The library keeps its calls away from this machine, where this installation is.
      fetch: (url, { dispatcher: _, ...options }) => fetch(url, options),
    });
    const provide = this.provider.callback();
    this.answer = (request, response) => (request.url.startsWith("/login/") ? this.#login(request, response, find) : provide(request, response));
  }

  async #login(request, response, find) {
    if (request.method === "GET") return response.writeHead(200, { "content-type": "text/html" }).end(page(""));
    let text = "";
    for await (const chunk of request) text += chunk;
    const said = new URLSearchParams(text);
    const name = said.get("username");
    if (!find(name) || this.people.get(name).password !== said.get("password"))
      return response.writeHead(200, { "content-type": "text/html" }).end(page("Invalid username or password."));
    await this.provider.interactionDetails(request, response);
    return this.provider.interactionFinished(request, response, { login: { accountId: name } }, { mergeWithLastSubmission: false });
  }

  /** Changes what the mappers say of somebody; it is true from the next refresh on. */
  change(name, claims) { Object.assign(this.people.get(name).claims, claims); }

  /** Disables an account; with `tell` the installation is told at once, as Keycloak does when sessions are ended too. */
  async disable(name, { tell = false } = {}) {
    this.people.get(name).disabled = true;
    if (tell) await (await this.provider.Client.find(this.client.id)).backchannelLogout(name);
  }

  /** Lets an account be used again. */
  async enable(name) { this.people.get(name).disabled = false; }

  /** Where a person signs out at the provider itself. */
  get signOutUrl() { return `${this.issuer}/session/end`; }

  async dispose() { this.http?.closeAllConnections(); await new Promise((resolve) => this.http?.close(resolve) ?? resolve()); }
}

const page = (wrong) => `<!DOCTYPE html><html lang="en"><title>Sign in to Main</title><h1>Sign in to your account</h1><p>${wrong}</p>
<form method="post"><label>Username <input id="username" name="username" autofocus></label>
<label>Password <input id="password" name="password" type="password"></label><button id="kc-login">Sign In</button></form></html>`;
