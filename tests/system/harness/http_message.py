"""Whole requests and answers of HTTP/1.1 as bytes, whatever a test wants them to be (RFC 9112)."""


def lines(first, fields):
    """A head; names and values may be str (latin-1) or bytes."""
    def raw(text):
        return text if isinstance(text, bytes) else text.encode("latin-1")
    return b"".join([raw(first), b"\r\n", *(raw(name) + b": " + raw(value) + b"\r\n" for name, value in fields), b"\r\n"])


def chunked(pieces, trailers=(), extension=""):
    """A chunked body with these pieces as its chunks (section 7.1)."""
    body = b"".join(f"{len(piece):x}{extension}\r\n".encode() + piece + b"\r\n" for piece in pieces)
    return body + lines(b"0", trailers)


def _framed(first, fields, body, chunks, trailers, extension):
    fields = list(fields)
    if chunks is not None:
        return lines(first, [*fields, ("Transfer-Encoding", "chunked")]) + chunked(chunks, trailers, extension)
    if body is not None:
        return lines(first, [*fields, ("Content-Length", str(len(body)))]) + body
    return lines(first, fields)


def request(target="/", method="GET", *, host="localhost", fields=(), body=None, chunks=None, trailers=(), extension="",
            version="HTTP/1.1"):
    """`body` is sent with its length, `chunks` one by one; neither: a request without a body. host None: no Host."""
    hosts = [] if host is None else [("Host", host)]
    return _framed(f"{method} {target} {version}", [*hosts, *fields], body, chunks, trailers, extension)


def answer(status="200 OK", *, fields=(), body=None, chunks=None, trailers=(), extension="", version="HTTP/1.1"):
    return _framed(f"{version} {status}", fields, body, chunks, trailers, extension)
