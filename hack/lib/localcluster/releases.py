"""Official release programs, each checked against the checksum that hack/k8s/releases.json pins.

A program that has no checksum there for its version and this machine, or that cannot be reached, is not taken, and
then is built from source. One with another checksum is an error and never a reason to go on.

Environment: MCPFLEET_BUILD=source takes none. MCPFLEET_RELEASES_URL names a mirror: URL/HOST/PATH stands for
https://HOST/PATH.
"""

import hashlib
import http.client
import json
import os
import platform
import tarfile
import tempfile
import urllib.parse
import urllib.request

from .base import REPO, Failure

TABLE = REPO / "hack" / "k8s" / "releases.json"
SILENCE_SECONDS = 5  # without an answer, or within one
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


class Releases:
    def __init__(self, say, table=None):
        self.say = say
        self.table = json.loads(TABLE.read_text()) if table is None else table
        self.unreachable = set()
        wish = os.environ.get("MCPFLEET_BUILD", "")
        if wish not in ("", "source"):
            raise Failure(f"MCPFLEET_BUILD={wish}: only 'source' is known")
        if wish == "source":
            self.table = {}

    def fetch(self, name, version, path):
        """Puts the program at `path`. Returns False where it has to be built from source."""
        arch = ARCHITECTURES.get(platform.machine())
        entry = self.table.get(name, {})
        if entry.get("version") != version or arch not in entry["sha256"]:
            return False
        url = entry["url"].format(version=version, arch=arch)
        host = urllib.parse.urlsplit(url).netloc
        if host in self.unreachable:
            return False
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".download.") as folder:
            archive = f"{folder}/archive"
            try:
                digest = _download(url, archive)
            except (OSError, http.client.HTTPException) as error:
                self.say(f"{name} {version} will be built from source: cannot download {url}: {error}")
                self.unreachable.add(host)
                return False
            if digest != entry["sha256"][arch]:
                raise Failure(f"{url} is not what hack/k8s/releases.json says: its SHA-256 is {digest}, "
                              f"not {entry['sha256'][arch]}")
            if "member" in entry:
                archive = _extract(archive, entry["member"].format(version=version, arch=arch), folder)
            os.chmod(archive, 0o755)
            os.rename(archive, path)
        self.say(f"{name} {version} downloaded from {host}")
        return True


def _download(url, path):
    """Returns the SHA-256 of what it wrote."""
    mirror = os.environ.get("MCPFLEET_RELEASES_URL")
    if mirror:
        url = f"{mirror.rstrip('/')}/{url.removeprefix('https://')}"
    digest = hashlib.sha256()
    with urllib.request.urlopen(url, timeout=SILENCE_SECONDS) as answer, open(path, "wb") as out:
        while chunk := answer.read(1 << 20):
            digest.update(chunk)
            out.write(chunk)
        if answer.length:  # read() does not tell when the connection ends early
            raise http.client.IncompleteRead(b"", answer.length)
    return digest.hexdigest()


def _extract(archive, member, folder):
    target = f"{folder}/program"
    with tarfile.open(archive) as tar, tar.extractfile(member) as source, open(target, "wb") as out:
        while chunk := source.read(1 << 20):
            out.write(chunk)
    return target
