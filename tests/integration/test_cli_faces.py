"""`foregate models` and `foregate face`, as an operator runs them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

from foregate.gateways.face import lock
from tests.faces import data, jpeg, models, noise


def run(*words: str | Path, **settings: str) -> tuple[int, str, str]:
    """Run `foregate` with these words; return its exit code, and what it said where."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("FOREGATE_")}
    environ = own | {"COLUMNS": "100"} | {f"FOREGATE_{name.upper()}": value for name, value in settings.items()}
    command = [sys.executable, "-m", "foregate.doors.cli", *map(str, words)]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=120, check=False)
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout, done.stderr


def people(folder: Path, count: int, pictures: int = 10) -> Path:
    """Make a folder of some people of the collection beside the project, or skip the test."""
    for person in sorted(data("orl").iterdir())[:count]:
        (folder / person.name).mkdir(parents=True)
        for file in sorted(person.iterdir())[:pictures]:
            shutil.copy(file, folder / person.name)
    return folder


# ---------------------------------------------------------------- models


def test_models_are_fetched_and_verified(tmp_path: Path) -> None:
    """From a folder of the bank's; each is named with its source, and a second look finds them whole."""
    own = models()
    code, out, err = run("models", "fetch", "--folder", tmp_path, "--source", own)
    assert (0, f"{tmp_path}\n") == (code, out)
    assert all(model.title in err for model in lock.read_lock())

    assert (0, 5) == (run("models", "verify", "--folder", tmp_path)[0], len(list(tmp_path.iterdir())))
    assert (0, "", "") == run("models", "fetch", "--quiet", face_models=str(tmp_path))


def test_a_spoiled_model_is_found(tmp_path: Path) -> None:
    """Exit code 1, and which one; the rest is whole."""
    for name in (model.kept for model in lock.read_lock()):
        shutil.copy(models() / name, tmp_path)
    with (tmp_path / "mesh.tflite").open("r+b") as file:
        file.write(b"spoiled")

    code, out, _ = run("models", "verify", face_models=str(tmp_path))

    assert (1, 4) == (code, out.count("whole"))
    assert "mesh.tflite is not what the lock says" in out


def test_without_models_it_is_told_what_to_do(tmp_path: Path) -> None:
    """Nothing is measured, nothing breaks."""
    assert 1 == run("models", "verify", "--folder", tmp_path)[0]
    (tmp_path / "live").mkdir()
    (tmp_path / "live" / "one.jpg").write_bytes(jpeg(noise()))

    code, _, err = run("face", "evaluate", tmp_path, "--models", tmp_path / "none")

    assert 2 == code
    assert "run `foregate models fetch`" in err


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    """A sentence, and exit code 2."""
    (tmp_path / "file").touch()

    code, _, err = run("models", "fetch", "--folder", tmp_path / "file" / "models")

    assert 2 == code
    assert "cannot be used" in err


WITHOUT_EXTRA = """
import sys
for name in ("numpy", "cv2", "onnxruntime"):
    sys.modules[name] = None
import foregate.doors.serve, foregate.demo.run
from foregate.doors.cli import main
main()
"""


def test_without_the_extra_all_else_runs(tmp_path: Path) -> None:
    """The server and every other command load; measuring says what to install."""
    command = [sys.executable, "-c", WITHOUT_EXTRA, "face", "evaluate", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    assert (2, "") == (done.returncode, done.stdout)
    assert "install foregate with its extra `face`" in done.stderr


# ---------------------------------------------------------------- evaluate


def test_an_odd_folder_is_explained(tmp_path: Path) -> None:
    """What is expected is said, and nothing is measured."""
    (tmp_path / "anna").mkdir()

    code, out, err = run("face", "evaluate", tmp_path, "--models", models())

    assert (2, "") == (code, out)
    assert "(anna holds none: give the folder whose folders are people)" in err


def test_pictures_without_faces_are_counted_and_not_hidden(tmp_path: Path) -> None:
    """Noise and broken files stand in the sums."""
    folder = people(tmp_path, 2, 5)
    (folder / "s1" / "noise.jpg").write_bytes(jpeg(noise()))
    (folder / "s1" / "broken.png").write_bytes(b"no picture")
    (folder / "nobody").mkdir()

    code, out, _ = run("face", "evaluate", folder, "--models", models())

    assert 0 == code
    assert "2 people, 12 pictures, 1 without a face, 1 unreadable" in out
    assert "nobody holds no pictures" in out


def test_live_and_spoof_are_told_apart(tmp_path: Path) -> None:
    """The three samples: each judged right, each kind of attack by itself."""
    for name, place in (("T1", "live"), ("F1", "spoof/phone"), ("F2", "spoof/print")):
        (tmp_path / place).mkdir(parents=True)
        shutil.copy(data("spoof", f"image_{name}.jpg"), tmp_path / place)

    code, out, _ = run("face", "evaluate", tmp_path, "--format", "json", "--models", models())

    found = json.loads(out)
    assert 0 == code
    assert (0, 1) == (found["bpcer"]["errors"], found["bpcer"]["trials"])
    assert {"phone": (0, 1), "print": (0, 1)} == {
        kind: (rate["errors"], rate["trials"]) for kind, rate in found["apcer"].items()
    }


def test_people_are_told_apart(tmp_path: Path) -> None:
    """Three people, as a table and as a plot: none is taken for another at the default limit."""
    folder, plot = people(tmp_path / "people", 3, 5), tmp_path / "rates.svg"

    code, out, _ = run("face", "evaluate", folder, "--plot", plot, "--models", models())

    assert 0 == code
    assert "As at the door: three fused pictures against two, 3 people" in out
    (row,) = (line.split() for line in out.split("As at the door")[1].splitlines() if "0.50 *" in line)
    assert ["0.50", "*", "0/120", "0%", "0/60", "0%", "100%"] == [*row[:4], *row[5:7], row[8]]
    assert 4 == len(ElementTree.parse(plot).findall(".//{http://www.w3.org/2000/svg}polyline"))  # noqa: S314 -- our own
