"""Serve the club on this machine, with werkzeug's development server."""

import argparse
import logging
import signal
import sys
from contextlib import closing
from pathlib import Path
from typing import NoReturn

from werkzeug.serving import make_server

from sample_service.application import guarded_application


def main() -> None:
    """Serve until interrupted or terminated; the first line printed ends with the address."""
    arguments = _arguments()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    # spyne logs every message in full at this level, header and all.
    logging.getLogger("spyne").setLevel(logging.WARNING)
    signal.signal(signal.SIGTERM, _leave)
    with closing(guarded_application(arguments.data)) as application:
        server = make_server(arguments.host, arguments.port, application, threaded=True)
        try:
            print(f"The club is at http://{arguments.host}:{server.port}/", flush=True)
            server.serve_forever()
        except KeyboardInterrupt:
            pass
        finally:
            server.server_close()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m sample_service", description="Serve the guarded sample.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    parser.add_argument("--port", type=int, default=8080, help="0 takes a free one (%(default)s)")
    parser.add_argument(
        "--data",
        type=Path,
        default=Path("build/sample-service"),
        metavar="DIR",
        help="configuration and databases; made when it is not there (%(default)s)",
    )
    return parser.parse_args()


def _leave(*_: object) -> NoReturn:
    sys.exit(0)


if __name__ == "__main__":
    main()
