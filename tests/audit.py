"""Known vulnerabilities of what is locked: ``python -m tests.audit``, by pip-audit.

Exit status 1 if there are any. Where no vulnerability database is reached, nothing is known: that is said, and is no
failure.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from tests.processes import ROOT

AUDIT = ["-m", "pip_audit", "--requirement", "constraints.txt", "--no-deps", "--disable-pip", "--format", "json"]
TIMEOUT_S = 240


def main() -> int:
    """Audit, and tell."""
    try:
        done = subprocess.run(
            [sys.executable, *AUDIT], cwd=ROOT, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
        )
        packages: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    except (json.JSONDecodeError, subprocess.TimeoutExpired):
        packages = []
    audited = [package for package in packages if "skip_reason" not in package]
    if not audited:
        sys.stdout.write("Not audited: no vulnerability database is reached from here.\n")
        return 0
    known = [(package, each) for package in audited for each in package["vulns"]]
    for package, each in known:
        fixed = ", ".join(each["fix_versions"]) or "no version"
        sys.stdout.write(f"{package['name']} {package['version']}: {each['id']}, mended in {fixed}\n")
    sys.stdout.write(f"{len(audited)} of {len(packages)} packages audited, {len(known)} vulnerabilities known.\n")
    return 1 if known else 0


if __name__ == "__main__":
    sys.exit(main())
