"""Make the stored references again: ``python -m tests.torch_reference.make_references [GROUP...]``.

Needs PyTorch (the stored ones were made with 2.13 on a CPU).
"""

from __future__ import annotations

import sys

from tests.torch_reference import registry


def main(wanted: list[str]) -> None:
    """Store the named groups, or all."""
    for group in wanted or registry.groups():
        path = registry.store(group)
        print(f"{path.name}: {len(registry.names(group))} cases, {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main(sys.argv[1:])
