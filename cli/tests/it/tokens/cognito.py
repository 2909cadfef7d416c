"""Cognito as moto has it, as an issuer on this machine.

Prints the issuer and its two clients. Each line `CLIENT NAME` on stdin signs a user in, and is answered by the user's tokens.
Moto makes tokens, keys and the discovery document. Only the issuer's address in them is another one: Cognito's own is on the
internet, and a stack here asks the one that it finds in its config.
"""

import json
import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from unittest.mock import patch

os.environ |= {"AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none", "AWS_DEFAULT_REGION": "eu-west-1"}

import boto3
from moto import mock_aws
from moto.cognitoidp.models import CognitoIdpUserPool
from moto.cognitoidp.responses import CognitoIdpJsonWebKeyResponse, CognitoIdpOpenIdConfigurationResponse


class Documents(BaseHTTPRequestHandler):
    def do_GET(self):
        pool = self.path.split("/")[1]
        if self.path.endswith("/.well-known/openid-configuration"):
            found = CognitoIdpOpenIdConfigurationResponse.serve_openid_configuration(None, base + self.path, {})
            body = json.dumps(json.loads(found[2]) | {"issuer": f"{base}/{pool}"}).encode()
        else:
            body = CognitoIdpJsonWebKeyResponse.serve_json_web_key(None, base + self.path, {})[2]
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Documents)
base = f"http://127.0.0.1:{server.server_port}"
Thread(target=server.serve_forever, daemon=True).start()

create_jwt = CognitoIdpUserPool.create_jwt


def of_this_machine(pool, client, user, use, expires_in=3600, extra_data=None):
    return create_jwt(pool, client, user, use, expires_in, (extra_data or {}) | {"iss": f"{base}/{pool.id}"})


with mock_aws(), patch.object(CognitoIdpUserPool, "create_jwt", of_this_machine):
    cognito = boto3.client("cognito-idp")
    pool = cognito.create_user_pool(PoolName="chat")["UserPool"]["Id"]
    clients = [
        cognito.create_user_pool_client(
            UserPoolId=pool, ClientName=name, ExplicitAuthFlows=["ALLOW_ADMIN_USER_PASSWORD_AUTH"]
        )["UserPoolClient"]["ClientId"]
        for name in ("chat", "another")
    ]
    print(json.dumps({"issuer": f"{base}/{pool}", "clients": clients}), flush=True)
    users = set()
    for line in sys.stdin:
        client, name = line.split()
        user = {"UserPoolId": pool, "Username": name}
        if name not in users:
            users.add(name)
            cognito.admin_create_user(**user)
            cognito.admin_set_user_password(**user, Password="Secret-1", Permanent=True)
        made = cognito.admin_initiate_auth(
            UserPoolId=pool,
            ClientId=client,
            AuthFlow="ADMIN_USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": name, "PASSWORD": "Secret-1"},
        )["AuthenticationResult"]
        print(json.dumps({"id": made["IdToken"], "access": made["AccessToken"]}), flush=True)
