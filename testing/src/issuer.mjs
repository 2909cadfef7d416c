// An OpenID Connect issuer on this machine. Lines on stdin: `token NAME` makes an access token for NAME, `rotate` replaces the
// key that signs. Each is answered by a line on stdout.
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

// The issuer's notices are not answers.
console.info = console.warn = console.error;
const load = (variable, file) => import(pathToFileURL(`${process.env[variable]}/${file}`));
const jose = await load('CHATCTL_JOSE', 'dist/webapi/index.js');
const { Provider } = await load('CHATCTL_OIDC_PROVIDER', 'lib/index.js');

let handler;
const server = createServer((request, response) => handler(request, response));
await new Promise(done => server.listen(0, '127.0.0.1', done));
const issuer = `http://127.0.0.1:${server.address().port}`;
let keys = 0;

/** The issuer begins anew, with the same address and another key. */
async function rotate() {
  const { privateKey } = await jose.generateKeyPair('RS256', { extractable: true });
  const key = { ...await jose.exportJWK(privateKey), kid: `key ${++keys}`, alg: 'RS256', use: 'sig' };
  const client = name => ({
    client_id: name, client_secret: `secret of ${name}`, grant_types: ['client_credentials'], redirect_uris: [], response_types: [],
  });
  const provider = new Provider(issuer, {
    clients: ['Tom', 'Jerry'].map(client),
    jwks: { keys: [key] },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: () => ({ scope: '', audience: 'chat', accessTokenFormat: 'jwt', jwt: { sign: { alg: 'RS256' } } }),
      },
    },
  });
  handler = provider.callback();
}

async function token(name) {
  const basic = Buffer.from(`${name}:${encodeURIComponent(`secret of ${name}`)}`).toString('base64');
  const answer = await fetch(`${issuer}/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${basic}` },
    body: new URLSearchParams({ grant_type: 'client_credentials', resource: 'urn:chat' }),
  });
  const json = await answer.json();
  return json.access_token ?? JSON.stringify(json);
}

await rotate();
console.log(issuer);
for await (const line of createInterface({ input: process.stdin })) {
  const [verb, name] = line.split(' ');
  if (verb === 'rotate') await rotate();
  console.log(verb === 'rotate' ? 'rotated' : await token(name));
}
server.close();
