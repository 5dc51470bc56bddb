"""The one JSON API: every app's router, closed unless a token opens it.

A browser's session is worth nothing here, so no form on another site can act through it.
"""

from __future__ import annotations

from ninja import NinjaAPI

from accounts.api import router as accounts
from commissary.api import router as tablet
from config import problems
from detention.api import AccessToken
from visits.api import router as visits

api = NinjaAPI(
    title="Detention centre services",
    version="1",
    urls_namespace="api",
    auth=AccessToken(),
    # The description of the API is a file of the documentation, not a page open to everybody.
    docs_url=None,
    openapi_url=None,
)
problems.teach(api)
api.add_router("accounts", accounts)
api.add_router("tablet", tablet)
api.add_router("visits", visits)
