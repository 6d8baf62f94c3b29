"""Two ways to be scraped: an application to mount, and a port of its own."""

from wsgiref.simple_server import WSGIServer
from wsgiref.types import WSGIApplication

from prometheus_client import REGISTRY, CollectorRegistry, make_wsgi_app, start_http_server

from wsguard.metrics.workers import AllWorkers, values_are_shared


def metrics_application(registry: CollectorRegistry | None = None) -> WSGIApplication:
    """A WSGI application that answers GET with the metrics, to be mounted where only your Prometheus can reach it.

    Args:
        registry: that of the observer; None: prometheus-client's own ``REGISTRY``.

    Raises:
        ValueError: ``PROMETHEUS_MULTIPROC_DIR`` names no directory or was set too late.
    """
    application: WSGIApplication = make_wsgi_app(_scraped(registry))
    return application


def serve_metrics(port: int, host: str = "127.0.0.1", registry: CollectorRegistry | None = None) -> WSGIServer:
    """Serve the metrics on a port of their own, from a daemon thread of this process.

    Args:
        port: TCP port; 0: any free one, which ``server_port`` of the result tells.
        host: address to listen on; whoever can reach it can read the metrics.
        registry: that of the observer; None: prometheus-client's own ``REGISTRY``.

    Returns:
        the server; ``shutdown()`` and ``server_close()`` end it.

    Raises:
        OSError: it cannot listen there; another worker may do already.
        ValueError: ``PROMETHEUS_MULTIPROC_DIR`` names no directory or was set too late.
    """
    server, _ = start_http_server(port, host, _scraped(registry))
    return server


def _scraped(registry: CollectorRegistry | None) -> CollectorRegistry:
    registry = REGISTRY if registry is None else registry
    if not values_are_shared():
        return registry
    scraped = CollectorRegistry()
    scraped.register(AllWorkers(registry))
    return scraped
