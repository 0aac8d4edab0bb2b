"""The distribution: four packages in one folder, everything they need inside the wheel, locks that name no place."""

import os
import re
import subprocess
import sys
import tomllib
from importlib import import_module, metadata
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

import gateway

PACKAGES = ("gateway", "adapters", "mappings", "schemas")
LOCKS = ("requirements.lock", "requirements-dev.lock")
NEVER_SHIPPED = (".pyc", ".pyo")
ADDRESS = re.compile(r"https?://|git\+|file:|(?:^|\s)(?:-i|-f|--(?:extra-)?index-url|--find-links)\b", re.MULTILINE)


@pytest.fixture(scope="session")
def project(project_root: Path) -> dict[str, Any]:
    return tomllib.loads((project_root / "pyproject.toml").read_text("utf-8"))


@pytest.fixture(scope="session")
def wheel(project_root: Path, tmp_path_factory: pytest.TempPathFactory) -> ZipFile:
    """The wheel, built from the files git would commit, so that nothing left lying about is shipped or missed."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=project_root,
        capture_output=True,
        timeout=120,
        check=True,
    )
    return ZipFile(next(folder.glob("*.whl")))


def test_all_four_packages_lie_in_one_folder(project_root: Path) -> None:
    folders = {Path(str(import_module(name).__file__)).parent.parent for name in PACKAGES}
    assert folders == {project_root}


def test_the_wheel_holds_every_file_of_the_four_packages(wheel: ZipFile, project_root: Path) -> None:
    """Mappings, WSDL, XSD, templates and units of systemd travel with the code that reads them."""
    shipped = {name for name in wheel.namelist() if name.startswith(PACKAGES)}
    assert shipped == {name for name in versioned(project_root, *PACKAGES) if not name.endswith(NEVER_SHIPPED)}


def test_the_wheel_holds_nothing_but_the_four_packages(wheel: ZipFile) -> None:
    assert {name.split("/")[0] for name in wheel.namelist()} == {
        *PACKAGES,
        f"lienthong-{gateway.__version__}.dist-info",
    }


def test_the_version_is_the_same_everywhere(wheel: ZipFile, project_root: Path) -> None:
    described = metadata.distribution("lienthong")
    changelog = (project_root / "CHANGELOG.md").read_text("utf-8")
    assert described.version == gateway.__version__
    assert (
        f"Version: {gateway.__version__}\n"
        in wheel.read(f"lienthong-{gateway.__version__}.dist-info/METADATA").decode()
    )
    assert f"\n## {gateway.__version__}" in changelog


def test_an_upload_to_a_public_index_is_refused() -> None:
    assert "Private :: Do Not Upload" in metadata.metadata("lienthong").get_all("Classifier", [])


def test_the_command_and_the_adapter_kinds_are_registered(project: dict[str, Any]) -> None:
    assert project["project"]["scripts"] == {"lienthong": "gateway.__main__:main"}
    registered = metadata.entry_points(group="lienthong.adapters")
    assert {entry.name: entry.value for entry in registered} == project["project"]["entry-points"]["lienthong.adapters"]


def test_every_pinned_dependency_has_a_hash_and_no_lock_names_a_place(project_root: Path) -> None:
    for lock in LOCKS:
        text = (project_root / lock).read_text("utf-8")
        assert not ADDRESS.search(text), lock
        assert all("--hash=sha256:" in entry for entry in re.split(r"^(?=[a-z0-9-]+==)", text, flags=re.MULTILINE)[1:])


def test_the_locks_pin_what_is_asked_for_and_agree(project: dict[str, Any], project_root: Path) -> None:
    runtime, development = (locked(project_root / lock) for lock in LOCKS)
    asked = project["project"]["dependencies"]
    asked_for_tests = project["project"]["optional-dependencies"]["dev"]
    assert {wire_name(line) for line in asked} <= runtime.keys()
    assert {wire_name(line) for line in [*asked, *asked_for_tests]} <= development.keys()
    assert runtime.items() <= development.items()


def test_what_is_installed_is_what_is_locked(project_root: Path) -> None:
    pinned = locked(project_root / "requirements-dev.lock")
    found = {wire_name(entry.name): entry.version for entry in metadata.distributions()}
    assert {name: found[name] for name in pinned.keys() & found.keys()} == {
        name: version for name, version in pinned.items() if name in found
    }


def versioned(root: Path, *folders: str) -> set[str]:
    """Files git tracks or would add, that exist."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z", "--", *folders],
        cwd=root,
        env=os.environ | {"GIT_OPTIONAL_LOCKS": "0"},
        capture_output=True,
        text=True,
        check=True,
    )
    return {name for name in listed.stdout.split("\0") if name and (root / name).is_file()}


def locked(path: Path) -> dict[str, str]:
    """Names and versions a lock pins."""
    return dict(re.findall(r"^([a-z0-9-]+)==([^ ]+)", path.read_text("utf-8"), re.MULTILINE))


def wire_name(requirement: str) -> str:
    """The name of a requirement in the normal form of the package index."""
    return re.sub(r"[-_.]+", "-", re.split(r"[\s<>=!~\[;]", requirement, maxsplit=1)[0]).lower()
