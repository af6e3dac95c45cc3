"""hack/cluster's downloads of release programs, against a server on this machine."""

import contextlib
import functools
import hashlib
import http.server
import io
import json
import os
import pathlib
import platform
import re
import sys
import tarfile
import tempfile
import threading
import unittest
from unittest import mock

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "hack" / "lib"))
from localcluster import binaries, releases  # noqa: E402  (the path comes first)
from localcluster.base import Failure  # noqa: E402

ARCH = releases.ARCHITECTURES.get(platform.machine())


def sha256(data):
    return hashlib.sha256(data).hexdigest()


class Handler(http.server.SimpleHTTPRequestHandler):
    """Serves files; a name that ends with `-cut` is announced longer than it is."""

    def do_GET(self):
        self.server.asked.append(self.path)
        if self.path.endswith("-cut"):
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b"half of it")
        else:
            super().do_GET()

    def log_message(self, *_):
        pass


@unittest.skipUnless(ARCH, f"no releases for {platform.machine()}")
class ReleasesTest(unittest.TestCase):
    def setUp(self):
        with contextlib.ExitStack() as stack:
            self.root = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
            self.server = stack.enter_context(http.server.ThreadingHTTPServer(
                ("127.0.0.1", 0), functools.partial(Handler, directory=self.root / "www")))
            self.server.asked = []
            thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
            thread.start()
            stack.callback(thread.join)
            stack.callback(self.server.shutdown)
            mirror = f"http://127.0.0.1:{self.server.server_port}"
            stack.enter_context(mock.patch.dict(os.environ, {
                "MCPFLEET_RELEASES_URL": mirror, "MCPFLEET_BUILD": "", "no_proxy": "127.0.0.1"}))
            self.addCleanup(stack.pop_all().close)
        self.path = self.root / "cache" / "tool-v1" / "tool"
        self.said = []

    def serve(self, path, data):
        file = self.root / "www" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)

    def fetch(self, version="v1", **entry):
        table = {"tool": {"version": "v1", "url": "https://dl.example/{version}/{arch}/tool", **entry}}
        return releases.Releases(self.said.append, table).fetch("tool", version, self.path)

    def test_takes_a_program_with_the_right_checksum(self):
        self.serve(f"dl.example/v1/{ARCH}/tool", b"program")
        self.assertTrue(self.fetch(sha256={ARCH: sha256(b"program")}))
        self.assertEqual(self.path.read_bytes(), b"program")
        self.assertTrue(os.access(self.path, os.X_OK))
        self.assertEqual([self.path], list(self.path.parent.iterdir()))

    def test_takes_one_member_of_an_archive(self):
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w:gz") as tar:
            for name, data in ((f"linux-{ARCH}/README", b"text"), (f"linux-{ARCH}/tool", b"program")):
                entry = tarfile.TarInfo(name)
                entry.size = len(data)
                tar.addfile(entry, io.BytesIO(data))
        self.serve(f"dl.example/v1/{ARCH}/tool", archive.getvalue())
        self.assertTrue(self.fetch(member="linux-{arch}/tool", sha256={ARCH: sha256(archive.getvalue())}))
        self.assertEqual(self.path.read_bytes(), b"program")

    def test_another_checksum_is_an_error_and_leaves_nothing(self):
        self.serve(f"dl.example/v1/{ARCH}/tool", b"tampered with")
        with self.assertRaisesRegex(Failure, f"is not what hack/k8s/releases.json says.*{sha256(b'tampered with')}"):
            self.fetch(sha256={ARCH: sha256(b"program")})
        self.assertEqual([], list(self.path.parent.iterdir()))

    def test_what_is_not_there_is_left_to_the_build_and_its_host_asked_once(self):
        table = {name: {"version": "v1", "url": f"https://dl.example/{name}", "sha256": {ARCH: "0" * 64}}
                 for name in ("one", "two")}
        subject = releases.Releases(self.said.append, table)
        self.assertFalse(subject.fetch("one", "v1", self.path))
        self.assertFalse(subject.fetch("two", "v1", self.path))
        self.assertEqual(["/dl.example/one"], self.server.asked)
        self.assertRegex(self.said[0], "one v1 will be built from source: cannot download .*404")

    def test_a_download_that_breaks_off_is_left_to_the_build(self):
        self.assertFalse(self.fetch(url="https://dl.example/tool-cut", sha256={ARCH: sha256(b"half of it")}))
        self.assertFalse(self.path.exists())

    def test_a_server_that_does_not_answer_is_left_to_the_build(self):
        with mock.patch.dict(os.environ, {"MCPFLEET_RELEASES_URL": "http://127.0.0.1:1"}):
            self.assertFalse(self.fetch(sha256={ARCH: "0" * 64}))
        self.assertRegex(self.said[0], "refused")

    def test_without_a_checksum_for_it_nothing_is_asked_for(self):
        self.assertFalse(self.fetch(sha256={}))
        self.assertFalse(self.fetch(version="v2", sha256={ARCH: "0" * 64}))
        self.assertFalse(releases.Releases(self.said.append, {}).fetch("tool", "v1", self.path))
        self.assertEqual([], self.server.asked)

    def test_source_is_built_when_it_is_asked_for(self):
        with mock.patch.dict(os.environ, {"MCPFLEET_BUILD": "source"}):
            self.assertFalse(self.fetch(sha256={ARCH: "0" * 64}))
        self.assertEqual([], self.server.asked)
        with mock.patch.dict(os.environ, {"MCPFLEET_BUILD": "fast"}), self.assertRaisesRegex(Failure, "MCPFLEET_BUILD"):
            self.fetch(sha256={})


class TableTest(unittest.TestCase):
    def test_releases_are_those_of_the_pinned_versions(self):
        table = json.loads(releases.TABLE.read_text())
        self.assertGreaterEqual(len(table), 9)
        for name, entry in table.items():
            with self.subTest(name):
                self.assertEqual(entry["version"], binaries.version_of(name))
                self.assertEqual({"amd64", "arm64"}, set(entry["sha256"]))
                for digest in entry["sha256"].values():
                    self.assertTrue(re.fullmatch("[0-9a-f]{64}", digest))


if __name__ == "__main__":
    unittest.main()
