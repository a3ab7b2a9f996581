"""Errors in the form of the OpenAI API."""

from starlette.responses import JSONResponse


class ApiError(Exception):
    """Becomes the answer to a request."""

    def __init__(self, status: int, message: str, *, code: str | None = None, param: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.param = param

    def response(self) -> JSONResponse:
        """The answer."""
        kind = "invalid_request_error" if self.status < 500 else "server_error"
        error = {"message": str(self), "type": kind, "param": self.param, "code": self.code}
        headers = {"Retry-After": "1"} if self.status in (429, 503) else None
        return JSONResponse({"error": error}, self.status, headers)
