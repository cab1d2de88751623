"""Protection of a form that nobody may send."""

from typing import Any

from werkzeug.exceptions import Forbidden


class CSRFProtect:
    def init_app(self, app: Any) -> None:
        app.jinja_env.globals["csrf_token"] = str

    def protect(self) -> None:
        raise Forbidden
