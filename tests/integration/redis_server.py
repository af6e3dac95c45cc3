"""A real Redis on a free loopback port, with nothing on disk."""

import shutil
import subprocess

from conftest import free_port, wait_for


class RedisServer:
    def __init__(self, directory):
        assert shutil.which("redis-server"), "redis-server is missing; see: hack/deps install test"
        self.directory = directory
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            ["redis-server", "--bind", "127.0.0.1", "--port", str(self.port), "--save", "", "--appendonly", "no",
             "--dir", str(self.directory)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for("Redis", lambda: self.ask("PING") == "PONG")

    def ask(self, *words):
        """Redis' answer to a command, as redis-cli prints it."""
        return subprocess.run(["redis-cli", "-p", str(self.port), *words], check=True, capture_output=True,
                              text=True).stdout.strip()

    def kill(self):
        self.process.kill()
        self.process.wait()
