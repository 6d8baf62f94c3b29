"""Prometheus metrics of a guard: an observer that counts, and two ways to be scraped. Needs the extra ``metrics``.

No label ever has a sender's text: outcomes, checks, stages and calls are words of this package, services and clients
those of the configuration, files those that it names. Where several processes serve and ``PROMETHEUS_MULTIPROC_DIR`` is
set, whichever process is scraped answers for all of them.
"""

try:
    import prometheus_client as _  # noqa: F401 - asked for first, so that its absence is said clearly
except ModuleNotFoundError as error:
    if error.name != "prometheus_client":
        raise
    raise ModuleNotFoundError(
        "wsguard.metrics needs prometheus-client: pip install wsguard[metrics]", name=error.name
    ) from error

from wsguard.metrics.families import FAMILIES, Family
from wsguard.metrics.observer import PrometheusObserver
from wsguard.metrics.scrape import metrics_application, serve_metrics
from wsguard.metrics.workers import child_exit

__all__ = ["FAMILIES", "Family", "PrometheusObserver", "child_exit", "metrics_application", "serve_metrics"]
