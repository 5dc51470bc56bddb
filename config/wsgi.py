"""The entry point of the web server."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
application = get_wsgi_application()

# After the apps are loaded. The connection is closed again: the server forks its workers from here.
from django.db import connection  # noqa: E402

from detention.triggers import refuse_start  # noqa: E402

refuse_start()
connection.close()
