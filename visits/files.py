"""Files that people hand in: known by their content, kept under a name of ours."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from uuid import uuid4

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from detention.errors import Refusal

LIMIT = 5 * 1024 * 1024  # bytes

# Content type by the first bytes, its ending, and the last bytes that a whole file has.
_KNOWN = (
    (b"%PDF-", "application/pdf", ".pdf", b"%%EOF"),
    (b"\x89PNG\r\n\x1a\n", "image/png", ".png", b"IEND\xaeB`\x82"),
    (b"\xff\xd8\xff", "image/jpeg", ".jpg", b"\xff\xd9"),
)


class FileMissing(Refusal):
    code = "file_missing"
    status = 422
    message = _("Add a photo or a PDF of the paper.")


class FileTooLarge(Refusal):
    code = "file_too_large"
    status = 413
    message = _("The file is larger than 5 MB. Take a smaller photo.")


class FileTypeUnknown(Refusal):
    code = "file_type_unknown"
    status = 415
    message = _("The file is not a whole PDF, PNG or JPEG, whatever its name says.")


@dataclass(frozen=True, kw_only=True)
class Paper:
    """One accepted file: its bytes, what they are, and their SHA-256 in hex."""

    content: bytes
    content_type: str
    ending: str
    sha256: str


def read(upload: IO[bytes] | None) -> Paper:
    """Read an upload and tell from its content what it is; its name is not looked at.

    Refuses FileMissing, FileTooLarge (after 5 MB nothing more is read), FileTypeUnknown.
    """
    content = upload.read(LIMIT + 1) if upload is not None else b""
    if not content:
        raise FileMissing(field="file")
    if len(content) > LIMIT:
        raise FileTooLarge(field="file")
    for first, content_type, ending, last in _KNOWN:
        # A PDF may carry a line end after its last mark.
        if content.startswith(first) and last in content[-64:]:
            digest = hashlib.sha256(content).hexdigest()
            return Paper(content=content, content_type=content_type, ending=ending, sha256=digest)
    raise FileTypeUnknown(field="file")


def store(paper: Paper) -> str:
    """Write a file under a new generated name; returns it, relative to MEDIA_ROOT."""
    name = f"papers/{uuid4().hex}{paper.ending}"
    path = path_of(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(paper.content)
    path.chmod(0o600)
    return name


def path_of(name: str) -> Path:
    return Path(settings.MEDIA_ROOT) / name
