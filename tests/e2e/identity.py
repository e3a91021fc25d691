"""An OpenID Connect provider on this machine that lets everybody in as one person."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT, SECRET, CODE = "second-look", "kept between the two", "let-in"
KEY_ID = "1"


@contextmanager
def provider(email: str) -> Iterator[str]:
    """Its address. It redirects back at once, with a code for a token that names this person."""
    key = RSAKey.generate_key(2048, {"kid": KEY_ID, "use": "sig", "alg": "RS256"})
    nonces: list[str] = []

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(asked.query).items()}
            if asked.path == "/.well-known/openid-configuration":
                self._json(
                    {
                        "issuer": address,
                        "authorization_endpoint": f"{address}/authorize",
                        "token_endpoint": f"{address}/token",
                        "jwks_uri": f"{address}/keys",
                        "response_types_supported": ["code"],
                        "subject_types_supported": ["public"],
                        "id_token_signing_alg_values_supported": ["RS256"],
                    }
                )
            elif asked.path == "/keys":
                self._json({"keys": [key.as_dict(private=False)]})
            elif asked.path == "/authorize" and query["client_id"] == CLIENT:
                nonces.append(query.get("nonce", ""))
                self.send_response(302)
                back = urlencode({"code": CODE, "state": query["state"]})
                self.send_header("Location", f"{query['redirect_uri']}?{back}")
                self.end_headers()
            else:
                self.send_error(404)

        def do_POST(self) -> None:
            form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            if form.get("code") != [CODE]:
                self.send_error(400)
                return
            now = int(time.time())
            who = {"sub": "1", "email": email, "nonce": nonces[-1]}
            claims = {"iss": address, "aud": CLIENT, "iat": now, "exp": now + 600, **who}
            token = jwt.encode({"alg": "RS256", "kid": KEY_ID}, claims, key)
            self._json({"access_token": "x", "token_type": "Bearer", "expires_in": 600, "id_token": token})

        def _json(self, values: dict[str, Any]) -> None:
            body = json.dumps(values).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base's name
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield address
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
