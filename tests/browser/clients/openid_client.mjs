// openid-client, asked by lines of JSON: {"call": name, "arguments": {…}} → {"result": …} or
// {"error": …}. Each client that was made is named by a number from then on.
import { createInterface } from 'node:readline'
import { createRemoteJWKSet, importJWK, jwtVerify } from 'jose'
import * as oidc from 'openid-client'

const clients = []
const snippets = []

const proofs = {
  none: () => oidc.None(),
  client_secret_basic: ({ secret }) => oidc.ClientSecretBasic(secret),
  client_secret_post: ({ secret }) => oidc.ClientSecretPost(secret),
  private_key_jwt: async ({ key }) =>
    oidc.PrivateKeyJwt({ key: await importJWK(key, key.alg), kid: key.kid }),
}

const withClaims = (tokens) => ({ ...tokens, claims: tokens.claims() ?? null })

const algorithmOf = (jwt) => JSON.parse(Buffer.from(jwt.split('.')[0], 'base64url')).alg

const calls = {
  async make({ issuer, client_id, authentication, ...given }) {
    const config = await oidc.discovery(
      new URL(issuer),
      client_id,
      {},
      await proofs[authentication](given),
      { execute: [oidc.allowInsecureRequests] }, // the server under test is on loopback
    )
    // Signatures too, which may be left out where the tokens came by TLS (Core §3.1.3.7).
    oidc.enableNonRepudiationChecks(config)
    return clients.push({ config }) - 1
  },

  async begin({ client, pushed, parameters }) {
    client.pkceCodeVerifier = oidc.randomPKCECodeVerifier()
    client.expectedState = oidc.randomState()
    client.expectedNonce = oidc.randomNonce()
    const fields = {
      state: client.expectedState,
      nonce: client.expectedNonce,
      code_challenge: await oidc.calculatePKCECodeChallenge(client.pkceCodeVerifier),
      code_challenge_method: 'S256',
      ...parameters,
    }
    const build = pushed ? oidc.buildAuthorizationUrlWithPAR : oidc.buildAuthorizationUrl
    return (await build(client.config, fields)).href
  },

  async finish({ client, url, form }) {
    const { config, ...checks } = client
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }
    const came = form ? new Request(url, { method: 'POST', headers, body: form }) : new URL(url)
    const tokens = withClaims(await oidc.authorizationCodeGrant(config, came, checks))
    return { ...tokens, claims: { ...tokens.claims, alg: algorithmOf(tokens.id_token) } }
  },

  userinfo: ({ client, access_token, sub }) =>
    oidc.fetchUserInfo(client.config, access_token, sub),

  refresh: async ({ client, refresh_token }) =>
    withClaims(await oidc.refreshTokenGrant(client.config, refresh_token)),

  introspect: ({ client, token }) => oidc.tokenIntrospection(client.config, token),

  revoke: async ({ client, token }) => (await oidc.tokenRevocation(client.config, token)) ?? null,

  act_for_itself: ({ client }) => oidc.clientCredentialsGrant(client.config),

  begin_device: ({ client, scope }) => oidc.initiateDeviceAuthorization(client.config, { scope }),

  finish_device: async ({ client, device, patience }) =>
    withClaims(
      await oidc.pollDeviceAuthorizationGrant(client.config, device, undefined, {
        signal: AbortSignal.timeout(patience * 1000),
      }),
    ),

  logout_url: async ({ client, parameters }) =>
    oidc.buildEndSessionUrl(client.config, parameters).href,

  async logout_token({ client, token }) {
    const { issuer, jwks_uri } = client.config.serverMetadata()
    const audience = client.config.clientMetadata().client_id
    const keys = createRemoteJWKSet(new URL(jwks_uri))
    return (await jwtVerify(token, keys, { issuer, audience, typ: 'logout+jwt' })).payload
  },
}

// The code of docs/openid-connect.md, which is set up by the environment alone.
const documentation = {
  async load({ module, environment }) {
    delete process.env.CLIENT_SECRET
    Object.assign(process.env, environment)
    return snippets.push({ functions: await import(module), session: {} }) - 1
  },

  async run({ number, name, given, inSession }) {
    const { functions, session } = snippets[number]
    return functions[name](...(inSession ? [session, ...given] : given))
  },
}

// The server's own word comes first: openid-client's errors name the check that failed.
const wordOf = (error) => error.error ?? error.cause?.error ?? error.code ?? error.name

for await (const line of createInterface({ input: process.stdin })) {
  const { call, arguments: given } = JSON.parse(line)
  let answer
  try {
    const result = await { ...calls, ...documentation }[call]({ ...given, client: clients[given.client] })
    answer = { result }
  } catch (error) {
    answer = { error: wordOf(error), detail: `${error.stack} ${JSON.stringify(error.cause)}` }
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`)
}
