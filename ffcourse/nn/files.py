"""Files that are there whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path


def write_atomically(path: Path, data: bytes) -> None:
    """Write `data` to `path`; whoever is killed meanwhile leaves the old file as it was."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")  # same folder, so same disk
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with temporary.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())  # on the disk before the old file is given up
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:  # the name of the temporary file would say nothing to anybody
        raise type(error)(
            error.errno,
            f"{path} could not be written, and is as it was before: {error.strerror or error}",
        ) from error
