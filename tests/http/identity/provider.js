// An identity provider on loopback, as a school's is set up: clients are registered beforehand, none by itself.
// Its one argument is JSON: {port, jwks, resources: {indicator: audience}, people: {id: claims}, redirects: [uri], pages: [uri], opaque}.
// A scope that is an address is taken as Entra ID takes it: it names its resource, with which `resource` must agree, and
// its last part stands in the token's `scp`.
// A person signs in without a password: whoever `login_hint` names, else whoever is typed on the page for that.
import { createServer } from "node:http";
import { Provider, errors } from "oidc-provider";

const given = JSON.parse(process.argv[2]);
const issuer = `http://127.0.0.1:${given.port}`;
const scopes = ["attendance:read", "attendance:write"];
const below = (indicator) => [...scopes, "Attendance.Read", "Attendance.Write"].map((scope) => `${indicator}/${scope}`);
const addresses = (ctx) => (ctx.oidc.params.scope ?? "").split(" ").filter((scope) => scope.includes("://"));
const resourceOf = (scope) => scope.slice(0, scope.lastIndexOf("/"));
const lastPart = (scope) => scope.slice(scope.lastIndexOf("/") + 1);

const provider = new Provider(issuer, {
  jwks: given.jwks,
  scopes: ["openid", "offline_access"],
  claims: { openid: ["sub", "email", "groups"] },
  conformIdTokenClaims: false,
  clients: [
    {
      client_id: "assistant",
      token_endpoint_auth_method: "none",
      application_type: "native",
      redirect_uris: given.redirects,
      grant_types: ["authorization_code"],
      response_types: ["code"],
    },
    {
      client_id: "laptop",
      token_endpoint_auth_method: "none",
      application_type: "native", // its port on loopback may be any (RFC 8252)
      redirect_uris: ["http://127.0.0.1/signed-in"],
      grant_types: ["authorization_code", "refresh_token"],
      response_types: ["code"],
    },
    {
      client_id: "laptop with a secret",
      client_secret: "not:quite a secret+",
      application_type: "native",
      redirect_uris: ["http://127.0.0.1/signed-in"],
      grant_types: ["authorization_code", "refresh_token"],
      response_types: ["code"],
    },
    {
      client_id: "approvals",
      client_secret: "a-secret-of-the-approvals-page",
      redirect_uris: given.pages,
      grant_types: ["authorization_code"],
      response_types: ["code"],
    },
  ],
  features: {
    devInteractions: { enabled: false },
    registration: { enabled: false },
    revocation: { enabled: true },
    introspection: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: (ctx, _client, oneOf) => oneOf ?? addresses(ctx).map(resourceOf)[0],
      useGrantedResource: () => true,
      getResourceServerInfo: (ctx, indicator) => {
        if (addresses(ctx).some((scope) => resourceOf(scope) !== indicator)) throw new errors.InvalidTarget("as AADSTS9010010");
        return {
          scope: [...scopes, ...below(indicator)].join(" "),
          audience: given.resources[indicator] ?? indicator,
          accessTokenFormat: given.opaque ? "opaque" : "jwt",
          jwt: { sign: { alg: "RS256" } },
        };
      },
    },
  },
  findAccount: (_ctx, id) => ({ accountId: id, claims: () => ({ sub: id, ...given.people[id] }) }),
  formats: {
    customizers: {
      jwt: (_ctx, _token, { payload }) => {
        if (!payload.scope?.includes("://")) return;
        payload.scp = payload.scope.split(" ").map(lastPart).join(" ");
        delete payload.scope;
      },
    },
  },
  extraTokenClaims: (_ctx, token) => given.people[token.accountId],
  interactions: { url: (_ctx, interaction) => `/sign-in/${interaction.uid}` },
  ttl: { AccessToken: 3600, AuthorizationCode: 60, Grant: 3600, IdToken: 3600, Interaction: 600, RefreshToken: 86400, Session: 3600 },
  cookies: { keys: ["of-the-tests"] },
});

const page = `<!doctype html><html lang="en"><title>Sign in</title><link rel="icon" href="data:,">
<form><label>Who are you? <input name="person" autofocus></label> <button>Sign in</button></form>`;

async function signIn(req, res) {
  const { params, grantId } = await provider.interactionDetails(req, res);
  const accountId = params.login_hint ?? new URL(req.url, issuer).searchParams.get("person");
  if (accountId === null) return res.writeHead(200, { "content-type": "text/html" }).end(page);
  const grant = grantId
    ? await provider.Grant.find(grantId)
    : new provider.Grant({ accountId, clientId: params.client_id });
  grant.addOIDCScope(params.scope);
  for (const indicator of [params.resource].flat().filter(Boolean)) grant.addResourceScope(indicator, params.scope);
  const consent = { grantId: await grant.save() };
  await provider.interactionFinished(req, res, { login: { accountId }, consent });
}

const ask = provider.callback();
createServer((req, res) => {
  console.log(req.method, req.url.split("?")[0]);
  if (req.url.startsWith("/sign-in/")) signIn(req, res).catch((error) => res.writeHead(500).end(String(error)));
  else ask(req, res);
}).listen(given.port, "127.0.0.1", () => console.log("listening"));
