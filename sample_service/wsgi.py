"""For any WSGI server: ``SAMPLE_SERVICE_DATA=/var/lib/club gunicorn sample_service.wsgi:application``."""

import os
from pathlib import Path

from sample_service.application import guarded_application

application = guarded_application(Path(os.environ.get("SAMPLE_SERVICE_DATA", "build/sample-service")))
