"""What others have made and some tests use, if it is there: modules from npm and from PyPI, Debian's programs.

    npm install --prefix build/node axe-core jsdom mermaid yaml-language-server
    python3 -m pip install junitparser opentelemetry-proto prometheus-client

KRAFTSIM_NODE names another folder than build/node. A test that lacks something is skipped, and says what.
"""
import importlib.util
import os
import pathlib
import shutil
import unittest

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
NODE = pathlib.Path(os.environ.get("KRAFTSIM_NODE", TOP / "build" / "node"))


def needs_program(*names):
    missing = [name for name in names if shutil.which(name) is None]
    return unittest.skipIf(missing, f"not installed: {', '.join(missing)}")


def needs_npm(*modules):
    missing = [module for module in modules if not (NODE / "node_modules" / module).is_dir()]
    if shutil.which("node") is None:
        missing.insert(0, "node")
    return unittest.skipIf(missing, f"not in {NODE}: {', '.join(missing)}")


def needs_python(*modules):
    def has(module):
        try:
            return importlib.util.find_spec(module) is not None
        except ModuleNotFoundError:
            return False
    missing = [module for module in modules if not has(module)]
    return unittest.skipIf(missing, f"not installed for this Python: {', '.join(missing)}")
