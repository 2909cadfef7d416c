// Makes tokens with jose, and checks some: `node jose.mjs make AUDIENCE`, `node jose.mjs verify TOKEN JWK AUDIENCE`.
import { pathToFileURL } from 'node:url';

const jose = await import(pathToFileURL(`${process.env.CHATCTL_JOSE}/dist/webapi/index.js`));
const [verb, ...words] = process.argv.slice(2);

async function make(alg, audience) {
  const { publicKey, privateKey } = await jose.generateKeyPair(alg, { extractable: true });
  const jwk = await jose.exportJWK(publicKey);
  jwk.kid = await jose.calculateJwkThumbprint(jwk);
  jwk.alg = alg;
  const token = await new jose.SignJWT({ to: 'Jerry' })
    .setProtectedHeader({ alg, kid: jwk.kid })
    .setSubject('Tom').setAudience(audience).setIssuedAt().setExpirationTime('1h')
    .sign(privateKey);
  return { alg, jwk, pem: await jose.exportSPKI(publicKey), token };
}

if (verb === 'make') {
  const made = await Promise.all(['EdDSA', 'ES256', 'RS256'].map(alg => make(alg, words[0])));
  console.log(JSON.stringify(made));
} else {
  const [token, jwk, audience] = words;
  const key = await jose.importJWK(JSON.parse(jwk), 'EdDSA');
  const { payload } = await jose.jwtVerify(token, key, { audience, issuer: 'chatctl', algorithms: ['EdDSA'] });
  console.log(JSON.stringify(payload));
}
