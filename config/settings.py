"""Every setting of the project, read from the environment, loud when wrong."""

from __future__ import annotations

import secrets
import sys
from pathlib import Path
from urllib.parse import unquote

import environ
from django.core.exceptions import ImproperlyConfigured
from django.utils.csp import CSP
from django.utils.translation import gettext_lazy as _

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()
env.read_env(str(BASE_DIR / ".env"))

ENVIRONMENT = env.str("ENVIRONMENT", "demo")
if ENVIRONMENT not in ("demo", "production"):
    raise ImproperlyConfigured(f"ENVIRONMENT must be demo or production, not {ENVIRONMENT!r}.")
PRODUCTION = ENVIRONMENT == "production"
TESTING = "pytest" in sys.modules

# Where the embedded database, the secret key and uploaded files live.
DATA_DIR = Path(env.str("DATA_DIR", str(BASE_DIR / "var")))
DATA_DIR.mkdir(parents=True, exist_ok=True)


def _required_in_production(name: str, default: str) -> str:
    value = env.str(name, "")
    if not value and PRODUCTION:
        raise ImproperlyConfigured(f"{name} must be set when ENVIRONMENT=production.")
    return value or default


def _kept_secret() -> str:
    """Make a secret once and keep it beside the data, readable by the owner only."""
    path = DATA_DIR / "secret_key"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(50))
    return path.read_text().strip()


SECRET_KEY = env.str("SECRET_KEY", "") or _kept_secret()
DEBUG = False
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["*"] if not PRODUCTION else [])
if not ALLOWED_HOSTS:
    raise ImproperlyConfigured("ALLOWED_HOSTS must be set when ENVIRONMENT=production.")
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
# Where people reach us: for links in receipts and for the return from the payment page.
PUBLIC_URL = _required_in_production("PUBLIC_URL", "http://127.0.0.1:8000").rstrip("/")

# Deposits go live with a key; without one the in-process simulator answers the SDK.
STRIPE_API_KEY = _required_in_production("STRIPE_API_KEY", "sk_test_simulator")
STRIPE_WEBHOOK_SECRET = _required_in_production("STRIPE_WEBHOOK_SECRET", "whsec_simulator")
GATEWAY = "stripe" if env.str("STRIPE_API_KEY", "") else "stub"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.forms",
    "django_q",
    "axes",
    "detention",
    "accounts.ledger",
    "accounts",
    "commissary",
    "visits",
    "config",
]
if GATEWAY == "stub":
    INSTALLED_APPS.append("accounts.gateways.stub")

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "config.middleware.ClosedByDefault",
    "config.middleware.NeverStored",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "config.middleware.RefusalPages",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "config.pages.surroundings",
            ],
            "builtins": ["config.templatetags.show"],
        },
    }
]

# Set but empty, as a Makefile exports it, means not set.
_database_url = env.str("DATABASE_URL", "") or f"sqlite:///{DATA_DIR / 'detention.sqlite3'}"
DATABASES = {"default": env.db_url_config(_database_url)}
_database = DATABASES["default"]
_database["HOST"] = unquote(_database.get("HOST") or "")  # a socket folder is written %2Ftmp%2Fx
_database["CONN_MAX_AGE"] = 600
if _database["ENGINE"].endswith("sqlite3"):
    # IMMEDIATE: without it concurrent writers fail with "database is locked" instead of waiting.
    # recursive_triggers: without it INSERT OR REPLACE deletes past a delete trigger.
    _database["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": (
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
            "PRAGMA recursive_triggers=ON; PRAGMA busy_timeout=20000;"
        ),
    }
elif _database["ENGINE"].endswith("postgresql"):
    # No pool: a fork after opening one corrupts connections, and the queue's workers fork.
    _database["CONN_HEALTH_CHECKS"] = True
    _database.setdefault("OPTIONS", {})["options"] = (
        "-c lock_timeout=2000 -c statement_timeout=10000"
        " -c idle_in_transaction_session_timeout=15000"
    )
    _database["OPTIONS"].setdefault("connect_timeout", 5)
else:
    raise ImproperlyConfigured("DATABASE_URL must name SQLite or PostgreSQL.")
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "detention.User"
AUTHENTICATION_BACKENDS = [
    # Counts failures by account: relatives behind one address must not lock each other out.
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
AXES_LOCKOUT_PARAMETERS = ["username"]
SILENCED_SYSTEM_CHECKS = ["axes.W006"]  # asks for counting by address
AXES_FAILURE_LIMIT = 6
AXES_COOLOFF_TIME = 0.25  # hours
AXES_RESET_ON_SUCCESS = True
# By account on purpose, not by address: see above.
SILENCED_SYSTEM_CHECKS = ["axes.W006"]
AXES_LOCKOUT_TEMPLATE = "locked.html"
AXES_ENABLE_ACCESS_FAILURE_LOG = False
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
FORM_RENDERER = "config.rendering.Renderer"
LOGIN_URL = "sign_in"
LOGIN_REDIRECT_URL = "start"
LOGOUT_REDIRECT_URL = "home"
SESSION_ENGINE = "django.contrib.sessions.backends.cached_db"
SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", "简体中文"), ("en", "English")]
LANGUAGE_COOKIE_NAME = "language"
TIME_ZONE = "Asia/Shanghai"
USE_I18N = True
USE_TZ = True

# Django's level names, as the tones of the look.
MESSAGE_TAGS = {10: "plain", 20: "info", 25: "good", 30: "warn", 40: "bad"}

STATIC_URL = "static/"
# Only filled where collectstatic is run; otherwise the files are served from where they are.
STATIC_ROOT = DATA_DIR / "static"
STATIC_ROOT.mkdir(exist_ok=True)
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False
MEDIA_ROOT = DATA_DIR / "files"
# The register against which lawyers' papers are compared; without the file it is silent.
LAWYER_REGISTER = env.str("LAWYER_REGISTER", str(DATA_DIR / "lawyer_register.csv"))

SECURE_CSP = {
    "default-src": [CSP.SELF],
    "img-src": [CSP.SELF, "data:"],
    "object-src": [CSP.NONE],
    "base-uri": [CSP.NONE],
    "frame-ancestors": [CSP.NONE],
    "form-action": [CSP.SELF, "https://checkout.stripe.com"],
}
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"
if PRODUCTION:
    SECURE_SSL_REDIRECT = True
    SECURE_REDIRECT_EXEMPT = [r"^(healthz|readyz)$"]  # asked from inside, without TLS
    SECURE_HSTS_SECONDS = 31_536_000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    SESSION_COOKIE_NAME = "__Host-session"
    CSRF_COOKIE_NAME = "__Host-csrf"

# The ORM broker on the same database is the transactional outbox: a task announced in a
# transaction that rolls back was never queued.
Q_CLUSTER = {
    "name": "detention",
    "orm": "default",
    "workers": env.int("WORKERS", 2),
    "timeout": 60,
    "retry": 90,
    "max_attempts": 5,
    "ack_failures": False,
    "catch_up": False,
    "poll": 0.2,
    "save_limit": 500,
    "guard_cycle": 1,
    "label": _("Tasks"),
}
# The worker writes a heartbeat every minute; older than this, it counts as stalled.
WORKER_STALE_S = env.int("WORKER_STALE_S", 180)

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "filters": {
        # Asked every few seconds; that it says no is its answer, not an error of ours.
        "not_readiness": {
            "()": "django.utils.log.CallbackFilter",
            "callback": lambda record: (
                getattr(getattr(record, "request", None), "path", "") != "/readyz"
            ),
        }
    },
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "formatter": "line",
            "filters": ["not_readiness"],
        }
    },
    # A refusal (403, 404, 422) is an answer, not an event; what matters of it is in the audit.
    "loggers": {"django.request": {"level": "ERROR"}},
    "root": {"handlers": ["stderr"], "level": env.str("LOG_LEVEL", "WARNING")},
}

if TESTING:
    PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    SECRET_KEY = "only-for-tests"  # noqa: S105
