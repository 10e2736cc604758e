"""Media objects: what they are made of, what they refuse, and that they come back as they were.

Here they go into a dict; `test_artifact_media.py` has them in artifacts.
"""

from __future__ import annotations

import copy
import hashlib
import io
import json
import math
import pickle
import subprocess
import sys
import wave
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import steplog
from steplog._media import class_of
from steplog._media.base import Media
from steplog._media.image_size import image_size


class Memory:
    """What media objects put their files into, and read them from."""

    def __init__(self, folder: Path) -> None:
        self.files: dict[str, bytes] = {}
        self.folder = folder
        self.read: list[str] = []

    def add_bytes(self, path: str, data: bytes) -> None:
        assert self.files.setdefault(path, data) == data

    def add_local_file(self, path: str, local_path: str, sha256: str) -> None:
        data = Path(local_path).read_bytes()
        assert hashlib.sha256(data).hexdigest() == sha256
        self.add_bytes(path, data)

    def local_file(self, path: str) -> str:
        self.read.append(path)
        place = self.folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(self.files[path])
        return str(place)


@pytest.fixture
def memory(tmp_path: Path) -> Memory:
    return Memory(tmp_path / "memory")


def written(media: Media, memory: Memory) -> dict[str, Any]:
    """The JSON of an object, as it stands in a file."""
    said = json.loads(json.dumps(media._to_json(memory), allow_nan=False))
    assert isinstance(said, dict)
    return said


def again(media: Media, memory: Memory) -> Any:
    """The object that an artifact gives back; it fetches nothing by itself."""
    said = written(media, memory)
    return class_of(said["_type"])._from_json(said, memory)


def pixels_of(data: bytes) -> Any:
    """What Pillow sees in an image."""
    import PIL.Image

    return np.asarray(PIL.Image.open(io.BytesIO(data)))


# --- images ---


class Tensor:
    """As one of PyTorch, as far as it is looked at."""

    def __init__(self, array: Any) -> None:
        self._array, self.shape, self.dtype = array, array.shape, "torch.float32"

    def detach(self) -> Tensor:
        return self

    cpu = detach

    def numpy(self) -> Any:
        return self._array


Tensor.__module__ = "torch"

GRAY = np.arange(6, dtype=np.uint8).reshape(2, 3)
COLORS = np.arange(2 * 3 * 4, dtype=np.uint8).reshape(2, 3, 4) * 10


@pytest.mark.parametrize(
    ("data", "pixels"),
    [
        pytest.param(GRAY, GRAY, id="HxW"),
        pytest.param(GRAY[:, :, None], GRAY, id="HxWx1"),
        pytest.param(COLORS[:, :, :3], COLORS[:, :, :3], id="HxWx3"),
        pytest.param(COLORS, COLORS, id="HxWx4"),
        pytest.param(COLORS[::-1, ::-1, :3], COLORS[::-1, ::-1, :3], id="a view"),
        pytest.param(Tensor(COLORS.transpose(2, 0, 1)), COLORS, id="PyTorch: CxHxW"),
        pytest.param(Tensor(GRAY), GRAY, id="PyTorch: HxW"),
        pytest.param(GRAY / 255, GRAY, id="floats of 0 to 1"),
        pytest.param(GRAY.astype(np.float32), GRAY, id="floats of 0 to 255"),
        pytest.param(np.array([[300, 255, 7]]), np.array([[255, 255, 7]]), id="beyond 255"),
        pytest.param(np.array([[-1.0, 0, 1]]), np.array([[0, 127, 255]]), id="from below 0"),
        pytest.param(np.array([[-3, -3]]), np.array([[0, 0]]), id="the same below 0"),
        pytest.param(np.array([[0, 1]]), np.array([[0, 1]]), id="ints of 0 to 1"),
        pytest.param(np.array([[True, False]]), np.array([[255, 0]]), id="truths"),
        pytest.param(np.array([[math.nan, math.inf, -math.inf, 2]]), np.array([[0, 255, 0, 2]]), id="not finite"),
    ],
)
def test_arrays_become_png(data: Any, pixels: Any) -> None:
    image = steplog.Image(data)
    assert np.array_equal(pixels_of(image.read()), pixels)
    assert (image.format, image.width, image.height) == ("png", pixels.shape[1], pixels.shape[0])


def test_a_png_needs_no_pillow_and_imports_nothing() -> None:
    code = """
import sys
import steplog
assert not {"PIL", "numpy", "matplotlib", "pandas", "torch"} & set(sys.modules), sys.modules
import numpy as np
image = steplog.Image(np.zeros((2, 2), np.uint8), masks={"m": {"mask_data": [[0, 1], [2, 3]]}})
steplog.Audio(np.zeros(3), sample_rate=10), steplog.Object3D(np.zeros((1, 3))), steplog.Table(data=[[1, 2, 3]])
print(sorted({"PIL", "matplotlib", "pandas", "torch"} & set(sys.modules)), image.sha256)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["[]", steplog.Image(np.zeros((2, 2), np.uint8)).sha256]


def test_a_file_is_kept_as_it_is(tmp_path: Path, memory: Memory) -> None:
    file = tmp_path / "cat.PNG"
    file.write_bytes(steplog.Image(COLORS).read())
    image = steplog.Image("cat.PNG", caption="a cat", grouping=3)
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    assert written(image, memory) == {
        "_type": "image-file",
        "path": f"media/images/{digest[:20]}/cat.PNG",
        "sha256": digest,
        "size": file.stat().st_size,
        "format": "png",
        "width": 3,
        "height": 2,
        "grouping": 3,
        "caption": "a cat",
    }
    assert memory.files == {f"media/images/{digest[:20]}/cat.PNG": file.read_bytes()}
    back = again(image, memory)
    assert (back, back.caption, back.grouping, back.size) == (image, "a cat", 3, file.stat().st_size)
    assert memory.read == []
    assert back.read() == file.read_bytes() and back.image.size == (3, 2)
    assert steplog.Image(io.BytesIO(file.read_bytes()), file_type="png", caption="a cat") == image
    with file.open("rb") as opened:
        assert steplog.Image(opened, caption="a cat") == image
    # What comes out of one artifact goes into another one.
    other = Memory(tmp_path / "other")
    assert written(back, other) == written(image, memory)
    assert other.files == memory.files


def test_images_of_others(memory: Memory) -> None:
    import matplotlib.pyplot as plt
    import PIL.Image

    plain = steplog.Image(COLORS)
    assert np.array_equal(pixels_of(steplog.Image(PIL.Image.fromarray(COLORS)).read()), COLORS)
    gray = np.asarray(plain.image.convert("L"))
    assert np.array_equal(pixels_of(steplog.Image(COLORS, mode="L").read()), gray)
    for file_type, head in (("jpg", b"\xff\xd8"), ("jpeg", b"\xff\xd8"), ("bmp", b"BM")):
        image = steplog.Image(COLORS[:, :, :3], file_type=file_type)
        assert image.read().startswith(head)
        assert (image.format, image.width, image.height) == (file_type, 3, 2)
    # Not even with an alpha channel.
    assert steplog.Image(COLORS, file_type="jpg").image.mode == "RGB"
    figure, axes = plt.subplots(figsize=(2, 1), dpi=50)
    axes.plot([1, 2])
    for drawn in (figure, axes, plt):
        image = steplog.Image(drawn)
        assert (image.format, image.width, image.height) == ("png", 100, 50)
    assert steplog.Image(figure, file_type="jpg").format == "jpg"
    plt.close(figure)
    captioned = steplog.Image(COLORS, caption="first", masks={"m": {"mask_data": GRAY, "class_labels": {1: "one"}}})
    copy = steplog.Image(captioned)
    assert (copy, copy.caption, copy.classes.names) == (captioned, "first", {1: "one"})  # type: ignore[union-attr]
    assert steplog.Image(captioned, caption="second").caption == "second"


@pytest.mark.parametrize(
    "format", ["PNG", "JPEG", "GIF", "BMP", "WEBP", "WEBP lossless", "WEBP alpha", "JPEG thumbnail"]
)
def test_the_head_of_a_file_says_its_size(format: str) -> None:
    import PIL.Image

    buffer = io.BytesIO()
    image = PIL.Image.new("RGBA" if format.endswith("alpha") else "RGB", (311, 70))
    options = {"lossless": {"lossless": True}, "thumbnail": {"exif": b"Exif\0\0" + bytes(3000)}}
    name, _, more = format.partition(" ")
    image.save(buffer, format=name, **options.get(more, {}))
    data = buffer.getvalue()
    assert image_size(data) == (311, 70)
    for end in range(len(data)):
        assert image_size(data[:end]) in (None, (311, 70))


def test_masks_and_boxes(memory: Memory, tmp_path: Path) -> None:
    box = {
        "position": {"minX": 0.1, "maxX": np.float32(0.5), "minY": 0, "maxY": 1},
        "class_id": np.int64(7),
        "box_caption": "wheel",
        "scores": {"iou": 0.5},
    }
    middle = {"position": {"middle": (10, 20), "width": 3, "height": 4}, "domain": "pixel"}
    (tmp_path / "m.png").write_bytes(steplog.Image(GRAY).read())
    image = steplog.Image(
        COLORS,
        classes=[{"id": 1, "name": "road", "color": "gray"}],
        boxes={"truth": {"box_data": [box, middle], "class_labels": {3: "car"}}},
        masks={
            "guess": {"mask_data": [[0, 1, 2], [253, 254, 255]], "class_labels": {2: "sky"}},
            "truth": {"path": tmp_path / "m.png"},
        },
    )
    assert image.classes is not None
    assert image.classes.names == {1: "road", 2: "sky", 3: "car", 7: "class_7"}
    said = written(image, memory)
    assert said["masks"]["truth"]["path"].startswith("media/images/mask/")
    assert said["masks"]["truth"]["path"].endswith("/m.png")
    assert np.array_equal(pixels_of(memory.files[said["masks"]["guess"]["path"]]), [[0, 1, 2], [253, 254, 255]])
    boxes = said["boxes"]["truth"]
    assert (boxes["_type"], boxes["path"][:29]) == ("boxes2D", "media/metadata/boxes2D/" + boxes["sha256"][:6])
    assert json.loads(memory.files[boxes["path"]]) == {
        "box_data": [
            {
                "position": {"minX": 0.1, "maxX": 0.5, "minY": 0, "maxY": 1},
                "class_id": 7,
                "box_caption": "wheel",
                "scores": {"iou": 0.5},
            },
            {"position": {"middle": [10, 20], "width": 3, "height": 4}, "domain": "pixel"},
        ],
        "class_labels": {"7": "class_7", "3": "car"},
    }
    classes = said["classes"]
    assert (classes["type"], list(classes)) == ("classes-file", ["type", "path", "digest"])
    assert json.loads(memory.files[classes["path"]])["class_set"][0] == {"id": 1, "name": "road"}
    back = again(image, memory)
    assert back == image
    assert back.classes == image.classes
    assert back.boxes["truth"].boxes == image.boxes["truth"].boxes
    assert back.boxes["truth"].class_labels == {7: "class_7", 3: "car"}
    assert back.masks["guess"].read() == image.masks["guess"].read()
    assert back != steplog.Image(COLORS)


def broken_box(**changes: Any) -> dict[str, Any]:
    position = {"minX": 0, "maxX": 1, "minY": 0, "maxY": 1}
    return {"boxes": {"g": {"box_data": [{"position": position, **changes}]}}}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"data_or_path": np.zeros((2, 2, 2))}, "the shape (2, 2, 2) is not height x width (x 1, 3 or 4)"),
        ({"data_or_path": np.zeros((2, 2, 5))}, "the shape (2, 2, 5)"),
        ({"data_or_path": np.zeros((0, 2))}, "the shape (0, 2)"),
        ({"data_or_path": np.zeros(4)}, "the shape (4,)"),
        ({"data_or_path": np.zeros((2, 2), complex)}, "an array of complex128 has no brightness"),
        ({"data_or_path": [[1, 2]]}, "not a list"),
        ({"data_or_path": "cat.exe"}, "'cat.exe' ends in none of png, jpg, jpeg, bmp, gif, webp, svg, tif, tiff"),
        ({"data_or_path": io.BytesIO(b"")}, "file_type says what an open file without a name is"),
        ({"file_type": "gif"}, "file_type: '.gif' ends in none of png, jpg, jpeg, bmp"),
        ({"caption": 5}, "caption is a int, not a str"),
        ({"classes": [{"id": 1}]}, "the class {'id': 1} has no id that is an int and name that is a str"),
        ({"classes": [5]}, "Classes takes dicts with id and name, not a int"),
        ({"masks": [1]}, "masks is a list, not a dict of groups"),
        ({"masks": {"m": 5}}, "mask 'm' is a int, not a dict with mask_data or path"),
        ({"masks": {"m": {}}}, "mask 'm' has not exactly one of mask_data and path"),
        ({"masks": {"m": {"mask_data": [[1], [1, 2]]}}}, "its rows have different lengths"),
        ({"masks": {"m": {"mask_data": [[256]]}}}, "mask_data is not rows of ints from 0 to 255"),
        ({"masks": {"m": {"mask_data": np.zeros((1, 1, 3), int)}}}, "mask_data is not rows of ints from 0 to 255"),
        ({"masks": {"m": {"mask_data": [[1]], "class_labels": {"1": "a"}}}}, "the class label '1': 'a'"),
        ({"masks": {5: {"mask_data": [[1]]}}}, "the group 5 of masks is a int, not a str"),
        ({"boxes": {"g": {}}}, "boxes 'g' is no dict with box_data"),
        ({"boxes": {"g": {"box_data": 5}}}, "box_data is a int, not a list"),
        ({"boxes": {"g": {"box_data": [5]}}}, "box 0 is a int, not a dict"),
        (broken_box(position={"minX": 0}), "position has neither minX, maxX, minY, maxY nor middle, width, height"),
        (broken_box(class_id="a"), "class_id is a str, not an int"),
        (broken_box(scores=[1]), "scores is a list, not a dict"),
        (broken_box(scores={"a": "b"}), "score is 'b', not a finite number"),
        (broken_box(box_caption=1), "box_caption is a int, not a str"),
        (broken_box(domain="meters"), "domain is 'meters', not \"pixel\""),
    ],
)
def test_an_image_says_what_it_refuses(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(steplog.InvalidDataError) as caught:
        steplog.Image(**{"data_or_path": GRAY, **arguments})
    assert message in caught.value.message
    assert isinstance(caught.value, ValueError) and isinstance(caught.value, TypeError)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    for media, name in ((steplog.Image, "a.png"), (steplog.Audio, "a.wav"), (steplog.Video, "a.mp4")):
        with pytest.raises(FileNotFoundError, match=f"there is no file {name}"):
            media(name)
    (tmp_path / "a.png").mkdir()
    with pytest.raises(IsADirectoryError):
        steplog.Image("a.png")


def test_without_pillow_an_array_is_a_png_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "PIL", None)
    monkeypatch.setitem(sys.modules, "PIL.Image", None)
    assert steplog.Image(GRAY).format == "png"
    for call in (lambda: steplog.Image(GRAY, file_type="jpg"), lambda: steplog.Image(GRAY).image):
        with pytest.raises(steplog.Error, match=r"Pillow is needed .*: pip install pillow"):
            call()
    with pytest.raises(steplog.Error, match="Pillow is needed to make a GIF of an array"):
        steplog.Video(np.zeros((1, 1, 2, 2), np.uint8))


# --- sound, videos, pages, bodies ---


def test_samples_become_wav(memory: Memory) -> None:
    def read(audio: steplog.Audio) -> tuple[tuple[int, int, int], list[int]]:
        with wave.open(io.BytesIO(audio.read())) as file:
            head = (file.getnchannels(), file.getsampwidth(), file.getframerate())
            kinds = {1: "u1", 2: "<i2", 4: "<i4"}
            return head, np.frombuffer(file.readframes(file.getnframes()), kinds[head[1]]).tolist()

    floats = np.array([0, 0.5, 1, -1, 7, math.nan])
    for kind in (np.float64, np.float32):
        assert read(steplog.Audio(floats.astype(kind), 8000)) == ((1, 2, 8000), [0, 16384, 32767, -32767, 32767, 0])
    stereo = np.array([[1, -1], [2, -2]], np.int16)
    assert read(steplog.Audio(stereo, sample_rate=44100)) == ((2, 2, 44100), [1, -1, 2, -2])
    assert read(steplog.Audio(np.array([1, 255], np.uint8), 1)) == ((1, 1, 1), [1, 255])
    assert read(steplog.Audio(np.array([1, -(2**31)], ">i4"), np.int64(5))) == ((1, 4, 5), [1, -(2**31)])
    audio = steplog.Audio(stereo, 44100, caption="hum")
    said = written(audio, memory)
    assert said == {
        "_type": "audio-file",
        "path": f"media/audio/{audio.sha256[:20]}.wav",
        "sha256": audio.sha256,
        "size": 52,
        "caption": "hum",
    }
    assert again(audio, memory) == audio


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: steplog.Audio(np.zeros(3)), "sample_rate is None; an array needs its samples in a second"),
        (lambda: steplog.Audio(np.zeros(3), 0.5), "sample_rate is 0.5"),  # type: ignore[arg-type]
        (lambda: steplog.Audio(np.zeros((1, 2, 3)), 5), "the shape (1, 2, 3) is not samples (x channels)"),
        (lambda: steplog.Audio(np.zeros(3, np.int64), 5), "samples are floats, uint8, int16, int32, not int64"),
        (lambda: steplog.Audio([0.5], 5), "not a list"),
        (lambda: steplog.Audio("a.txt"), "'a.txt' ends in none of wav"),
        (lambda: steplog.Video("a.avi"), "'a.avi' ends in none of gif, mp4, webm, ogg"),
        (lambda: steplog.Video(np.zeros((1, 2, 2, 2), np.uint8)), "is not frames x 1 or 3 x height x width"),
        (lambda: steplog.Video(np.zeros((1, 3, 2, 2))), "an array is of uint8, 0 to 255, not of float64"),
        (lambda: steplog.Video(np.zeros((1, 3, 2, 2), np.uint8), fps=0), "fps is 0, not a number of frames"),
        (lambda: steplog.Video(np.zeros((1, 3, 2, 2), np.uint8), format="mp4"), "an array becomes a gif, not mp4"),
        (lambda: steplog.Video(5), "not a int"),
        (lambda: steplog.Html(5), "Html takes text, a path that ends in .html or an open file, not a int"),
        (lambda: steplog.Html(Path("a.txt")), "'a.txt' ends in none of html"),
        (lambda: steplog.Html(io.BytesIO(b"\xff")), "the page is not UTF-8"),
        (lambda: steplog.Object3D(np.zeros((2, 5))), "points are n x 3, 4 or 6 numbers, not 2 x 5"),
        (lambda: steplog.Object3D(np.zeros(3)), "the shape (3,) is not n x 3, 4 or 6"),
        (lambda: steplog.Object3D(np.array([[math.nan, 0, 0]])), "the scene has no JSON form"),
        (lambda: steplog.Object3D({"type": "x"}), "the type of a scene is 'x', not 'lidar/beta'"),
        (lambda: steplog.Object3D.from_point_cloud([[0, 0, 0]], boxes=[5]), "boxes is no list of dicts"),  # type: ignore[list-item]
        (lambda: steplog.Object3D(io.StringIO("")), "file_type says what an open file without a name is: obj"),
        (lambda: steplog.Molecule("a.xyz"), "'a.xyz' ends in none of pdb"),
        (lambda: steplog.Molecule(5), "Molecule takes a path or an open file, not a int"),
    ],
)
def test_others_say_what_they_refuse(call: Any, message: str) -> None:
    with pytest.raises(steplog.InvalidDataError) as caught:
        call()
    assert message in caught.value.message


def test_frames_become_a_gif(tmp_path: Path, memory: Memory) -> None:
    import PIL.Image

    frames = np.zeros((3, 3, 4, 6), np.uint8)
    frames[1, 0], frames[2, 1] = 255, 255
    video = steplog.Video(frames, fps=10, caption="blink")
    gif = PIL.Image.open(io.BytesIO(video.read()))
    assert (gif.n_frames, gif.size, gif.info["duration"]) == (3, (6, 4), 100)  # type: ignore[attr-defined]
    gif.seek(1)
    assert gif.convert("RGB").getpixel((0, 0)) == (255, 0, 0)
    five = steplog.Video(np.stack([frames] * 3)).read()
    assert PIL.Image.open(io.BytesIO(five)).size == (12, 8)
    assert steplog.Video(frames[:, :1]).format == "gif"
    (tmp_path / "a.mp4").write_bytes(b"film")
    kept = steplog.Video("a.mp4", fps=4)
    assert (kept.format, kept.read(), again(kept, memory)) == ("mp4", b"film", kept)
    assert steplog.Video(io.BytesIO(b"film"), format="webm").format == "webm"


def test_pages(tmp_path: Path, memory: Memory) -> None:
    page = "<!doctype html><html><head><title>ä</title></head><p>x</p></html>"
    injected = '<base target="_blank"><style>body{margin:8px;font-family:system-ui,sans-serif}</style>'
    assert steplog.Html(page, inject=False).html == page
    assert steplog.Html(page).html == page.replace("<head>", f"<head>{injected}")
    assert steplog.Html("<HTML lang=en><p>").html == f"<HTML lang=en>{injected}<p>"
    assert steplog.Html("<header>x</header>").html == f"{injected}<header>x</header>"
    (tmp_path / "a.html").write_text(page)
    for given in ("a.html", Path("a.html"), io.StringIO(page), io.BytesIO(page.encode())):
        assert steplog.Html(given, inject=False).html == page
    assert steplog.Html("a.html", inject=False, data_is_not_path=True).html == "a.html"
    assert steplog.Html("not there.html", inject=False).html == "not there.html"
    html = steplog.Html(page)
    assert again(html, memory) == html
    assert [path.split("/")[:2] for path in memory.files] == [["media", "html"]]


def test_points_and_bodies(tmp_path: Path, memory: Memory) -> None:
    for width in (3, 4, 6):
        points = np.arange(2 * width, dtype=np.float32).reshape(2, width)
        cloud = steplog.Object3D(points, caption="c")
        assert (cloud.format, json.loads(cloud.read())) == ("pts.json", points.tolist())
        assert steplog.Object3D.from_numpy(points).read() == cloud.read()
        assert again(cloud, memory) == cloud
    scene = steplog.Object3D.from_point_cloud(
        points=[[0, 0, 0]],
        boxes=[{"corners": np.zeros((8, 3), int), "label": "car", "color": (255, 0, 0)}],
        vectors=[{"start": [0, 0, 0], "end": (1, 1, 1)}],
    )
    assert json.loads(scene.read()) == {
        "type": "lidar/beta",
        "points": [[0, 0, 0]],
        "boxes": [{"corners": [[0, 0, 0]] * 8, "label": "car", "color": [255, 0, 0]}],
        "vectors": [{"start": [0, 0, 0], "end": [1, 1, 1]}],
    }
    for name in ("a.obj", "a.glb", "a.pts.json"):
        (tmp_path / name).write_text("v 0 0 0")
        with (tmp_path / name).open() as opened:
            assert steplog.Object3D(opened).format == name.partition(".")[2]
        assert steplog.Object3D.from_file(name).read() == b"v 0 0 0"
    (tmp_path / "a.pdb").write_text("ATOM")
    molecule = steplog.Molecule("a.pdb", caption="water")
    assert written(molecule, memory)["_type"] == "molecule-file"
    assert again(molecule, memory) == molecule
    assert steplog.Molecule(io.StringIO("ATOM"), file_type="pdb").read() == b"ATOM"


@pytest.mark.parametrize("word", ["image-file", "audio-file", "html-file", "table", "joined-table", "classes"])
@pytest.mark.parametrize(
    "said", [{}, {"path": 5, "sha256": 5, "size": "a"}, {"columns": 5}, {"columns": ["a"], "data": [5]}]
)
def test_what_an_artifact_says_is_checked(word: str, said: dict[str, Any], memory: Memory) -> None:
    with pytest.raises(steplog.InvalidDataError, match="the artifact's"):
        class_of(word)._from_json({"_type": word, **said}, memory)


def test_a_file_that_is_not_what_its_name_says_is_only_bytes() -> None:
    assert image_size(b"") is None
    assert image_size(zlib.compress(b"x" * 1000)) is None


def test_objects_go_to_other_processes(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"film")
    image = steplog.Image(GRAY, caption="c", masks={"m": {"mask_data": GRAY, "class_labels": {1: "one"}}})
    table = steplog.Table(columns=["id", "image"], data=[[1, image]])
    for media in (
        image,
        table,
        steplog.Video("a.mp4"),
        steplog.Audio(np.zeros(3), 10),
        steplog.JoinedTable(table, table, "id"),
    ):
        assert pickle.loads(pickle.dumps(media)) == media
        assert copy.deepcopy(media) == media
