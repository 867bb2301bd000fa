"""The JSON API: one contract for web, apps and tests. Types in `schema`, document in `openapi`, routes in `app`."""
