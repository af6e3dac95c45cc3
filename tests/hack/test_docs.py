"""The tests that docs/metrics.md names are there."""

import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]


class TestNamedTests(unittest.TestCase):
    def test_each_is_there(self):
        table = (ROOT / "docs" / "metrics.md").read_text().partition("complained of")[2]
        cpp = "".join(path.read_text() for path in (ROOT / "tests").rglob("*_test.cc"))
        python = "".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
        named = re.findall(r"`(\w+Test)\.(\w+)`", table)
        self.assertGreater(len(named), 20)
        for suite, name in named:
            self.assertRegex(cpp, rf"TEST(_F|_P)?\({suite}, {name}\)")
        for name in re.findall(r"`(test_\w+)`", table):
            self.assertIn(f"def {name}(", python)


if __name__ == "__main__":
    unittest.main()
