"""How the web server runs; HOST, PORT, WEB_WORKERS and WEB_THREADS change it."""

import os

# Under the supervisor the address is inherited, already open.
inherited = os.environ.get("WEB_FD")
address = f"{os.environ.get('HOST', '127.0.0.1')}:{os.environ.get('PORT', '8000')}"
bind = f"fd://{inherited}" if inherited else address
# Two processes of four threads: more than one core's worth of SQLite can answer.
workers = int(os.environ.get("WEB_WORKERS", "2"))
threads = int(os.environ.get("WEB_THREADS", "4"))
worker_class = "gthread"
timeout = 30
graceful_timeout = 20
# Recycled now and then, so that a slow leak never becomes an outage.
max_requests = 10_000
max_requests_jitter = 1_000
loglevel = "warning"
control_socket_disable = True
