"""The pages: server-rendered HTML, complete without script, one small request to be usable."""

from foregate.doors.pages.assets import content_security_policy, style_hash
from foregate.doors.pages.problems import problem_page
from foregate.doors.pages.routes import routes

__all__ = ["content_security_policy", "problem_page", "routes", "style_hash"]
