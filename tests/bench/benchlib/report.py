"""What every benchmark tells: the machine, and progress."""

import os
import pathlib
import platform
import time

STARTED = time.monotonic()


def tell(text):
    print(f"[{time.monotonic() - STARTED:4.0f}s] {text}", flush=True)


def machine():
    models = {line.split(":")[1].strip() for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
              if line.startswith("model name")}
    load = " ".join(f"{value:.2f}" for value in os.getloadavg())
    return f"{os.cpu_count()} x {' / '.join(models)}, Linux {platform.release()}, load average {load}"
