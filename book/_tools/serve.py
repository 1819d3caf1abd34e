"""Show the built book on this machine alone: serve.py FOLDER PORT."""

import sys
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer


def main(folder, port):
    """Serve until Ctrl-C; return the exit status."""
    try:
        server = ThreadingHTTPServer(
            ("127.0.0.1", int(port)),
            partial(SimpleHTTPRequestHandler, directory=folder),
        )
    except (OSError, OverflowError, ValueError) as error:
        print(f"Port {port} cannot be had ({error}): try make serve PORT=8001")
        return 1
    print(f"http://localhost:{server.server_port}  (Ctrl-C stops it)", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        print()
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
