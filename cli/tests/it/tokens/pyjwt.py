"""Makes tokens with PyJWT, and checks some: `make AUDIENCE`, `verify TOKEN JWK AUDIENCE`."""

import json
import sys
import time

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa


def make(alg, key, audience):
    public = key.public_key()
    pem = public.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    jwk = jwt.get_algorithm_by_name(alg).to_jwk(public, as_dict=True)
    jwk |= {"kid": f"python {alg}", "alg": alg}
    now = int(time.time())
    claims = {"sub": "Tom", "aud": audience, "iat": now, "exp": now + 3600, "to": "Jerry"}
    token = jwt.encode(claims, key, algorithm=alg, headers={"kid": jwk["kid"]})
    return {"alg": alg, "jwk": jwk, "pem": pem.decode(), "token": token}


verb, *words = sys.argv[1:]
if verb == "make":
    keys = {
        "EdDSA": ed25519.Ed25519PrivateKey.generate(),
        "ES256": ec.generate_private_key(ec.SECP256R1()),
        "RS256": rsa.generate_private_key(public_exponent=65537, key_size=2048),
    }
    print(json.dumps([make(alg, key, words[0]) for alg, key in keys.items()]))
else:
    token, jwk, audience = words
    claims = jwt.decode(
        token, jwt.PyJWK(json.loads(jwk)).key, algorithms=["EdDSA"], audience=audience, issuer="chatctl"
    )
    print(json.dumps(claims))
