"""Pipelines by their name: found in the hub's cache, fetched from a hub of our own, and not fetched."""

from __future__ import annotations

import hashlib
import json
import shutil
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from helpers import PATIENCE

from difftui.errors import DifftuiError
from difftui.pipelines import cached_pipelines, find_pipeline
from difftui.pipelines import hub as hub_module
from difftui.pipelines.hub import fetch_pipeline, how_to_get, require_diffusers

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HUB_OFFLINE", "HF_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    return tmp_path / "hf" / "hub"


class Hub(BaseHTTPRequestHandler):
    """As much of the hub as a download asks for."""

    files: dict[str, bytes]

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def _answer(self, *, body: bool) -> None:
        path = self.path.partition("?")[0]
        if path.startswith("/api/models/people/tiny"):
            siblings = [{"rfilename": name, "size": len(data)} for name, data in self.files.items()]
            told = {"id": "people/tiny", "modelId": "people/tiny", "sha": COMMIT, "siblings": siblings}
            if "/tree/" in path:
                listed = [
                    {"type": "file", "path": name, "size": len(data), "oid": hashlib.sha1(data).hexdigest()}
                    for name, data in self.files.items()
                ]
                return self._send(json.dumps(listed).encode(), body)
            return self._send(json.dumps(told).encode(), body)
        name = path.rpartition(f"/people/tiny/resolve/{COMMIT}/")[2]
        if name in self.files:
            return self._send(self.files[name], body)
        self.send_error(404)
        return None

    def _send(self, data: bytes, body: bool) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("ETag", f'"{hashlib.sha1(data).hexdigest()}"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.end_headers()
        if body:
            self.wfile.write(data)

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Hub]]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setattr(hub_module, "_ANSWER_SECONDS", 600.0)  # in which the child imports its library
    Hub.files = {}
    yield Hub
    server.shutdown()
    server.server_close()


def offered(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_what_is_fetched_is_found_and_can_be_drawn_with(tiny: Path, hub: type[Hub], own_cache: Path) -> None:
    from difftui.pipelines import PipelineRef
    from difftui.pipelines.loading import load_pipeline

    hub.files = {**offered(tiny), "unet/diffusion_pytorch_model.bin": b"a pickle", "code.py": b"print()"}
    assert find_pipeline("people/tiny") is None
    with pytest.raises(DifftuiError, match=r"people/tiny is not on this machine\. difftui networks --fetch"):
        load_pipeline(PipelineRef("people/tiny"))
    *_, last = fetch_pipeline("people/tiny")
    assert (
        last.done
        == last.total
        == sum(len(data) for name, data in offered(tiny).items() if name.endswith((".json", ".safetensors")))
    )
    folder = find_pipeline("people/tiny")
    assert folder is not None
    assert cached_pipelines() == [("people/tiny", folder)]
    assert not list(folder.rglob("*.bin")) + list(folder.rglob("*.py")), "neither pickles nor code"
    assert load_pipeline(PipelineRef("people/tiny")).name == "people/tiny"


def test_a_hub_without_safetensors_is_one_line(tiny: Path, hub: type[Hub]) -> None:
    hub.files = {name: data for name, data in offered(tiny).items() if name.endswith(".json")}
    with pytest.raises(DifftuiError, match="not there as safetensors, and a pickle is not opened"):
        list(fetch_pipeline("people/tiny"))


def test_no_hub_is_one_line_and_soon(nobody: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("diffusers", reason="needs the extra: pip install '.[diffusers]'")
    monkeypatch.setenv("HF_ENDPOINT", nobody.rstrip("/"))
    began = time.monotonic()
    with pytest.raises(DifftuiError) as caught:
        list(fetch_pipeline("google/ddpm-cifar10-32"))
    assert time.monotonic() - began < PATIENCE
    told = str(caught.value)
    assert told.startswith("google/ddpm-cifar10-32 cannot be fetched: ")
    assert "reached" in told or "does not answer" in told
    assert "about 143 MB" in told
    assert "\n" not in told


def test_names_that_are_none(own_home: Path) -> None:
    for wrong in ("", " ", "nothing", "a/b/c", "~nobody-at-all/x y", "\0", "x" * 5000):
        with pytest.raises(DifftuiError, match="neither a folder nor a name on the Hugging Face hub"):
            find_pipeline(wrong)
    kept = own_home / "pipelines" / "mine"
    kept.mkdir(parents=True)
    assert find_pipeline("mine") == kept
    assert "143 MB" in how_to_get("google/ddpm-cifar10-32")


def test_without_the_extra_it_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(DifftuiError, match=r"pip install 'diffusers>=0.30'"):
        require_diffusers()


def test_an_unfinished_cache_is_no_pipeline(own_cache: Path, tmp_path: Path) -> None:
    kept = own_cache / "models--some--body"
    (kept / "refs").mkdir(parents=True)
    assert cached_pipelines() == []
    (kept / "refs" / "main").write_text(COMMIT)
    assert find_pipeline("some/body") is None
    (kept / "snapshots" / COMMIT).mkdir(parents=True)
    (kept / "snapshots" / COMMIT / "model_index.json").write_text("{}")
    assert find_pipeline("some/body") == kept / "snapshots" / COMMIT
    shutil.rmtree(own_cache)
    assert cached_pipelines() == []
