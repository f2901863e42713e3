"""The packages that are tried, and the repository that they are installed from."""

import shutil
import subprocess
from pathlib import Path

from pages import sections
from shell import run

CHECKOUT = Path(__file__).resolve().parents[2]
OLDER = "0.0.9-1"
# Where the page of the installation makes the repository, and where it has it copied to.
MADE_AT = CHECKOUT / "var/apt"
SERVED_AT = "srv/trunkline-apt"


def field(package: Path, name: str) -> str:
    return run("dpkg-deb", "--field", str(package), name, capture_output=True).stdout.strip()


def older(packages: Path, work: Path) -> Path:
    """Packs the same packages under a lower number, until there is a released version."""
    folder = work / "older"
    folder.mkdir()
    for package in packages.glob("*.deb"):
        if package.name.startswith("trunkline") and "dbgsym" not in package.name:
            tree = work / "repacked"
            run("dpkg-deb", "--raw-extract", str(package), str(tree))
            control = tree / "DEBIAN/control"
            version = field(package, "Version")
            control.write_text(control.read_text().replace(version, OLDER))
            run("dpkg-deb", "--root-owner-group", "-Znone", "--build", str(tree), str(folder),
                stdout=subprocess.DEVNULL)
            shutil.rmtree(tree)
    return folder


def repository(old: Path, new: Path, work: Path) -> dict[str, Path]:
    """Makes two repositories by the page's own command: with the older version, and with both.

    The page's block is run as it stands, in a copy of the checkout's relevant parts."""
    block = next(block for blocks in sections(CHECKOUT / "docs/install.md").values()
                 for block in blocks if "packaging/apt-repo" in block)
    place = work / "checkout"
    (place / "packaging").mkdir(parents=True)
    shutil.copy(CHECKOUT / "packaging/apt-repo", place / "packaging")
    made = {}
    for name, packages in (("older", old), ("newer", new)):
        shutil.rmtree(place / "dist", ignore_errors=True)
        shutil.copytree(packages, place / "dist")
        run("bash", "-euc", block, cwd=place)
        made[name] = work / f"repository-{name}"
        shutil.copytree(place / "var/apt", made[name])
    return made
