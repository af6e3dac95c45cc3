"""A stdio MCP server for tests: each tool misbehaves in its own way."""
import json
import os
import subprocess
import sys
import threading
import time

MODE = sys.argv[1] if len(sys.argv) > 1 else "good"


def say(message):
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def result(request, text):
    say({"jsonrpc": "2.0", "id": request["id"], "result": {"content": [{"type": "text", "text": text}]}})


def call(request):
    arguments = request["params"].get("arguments", {})
    name = request["params"]["name"]
    if name == "echo":
        result(request, arguments.get("text", ""))
    elif name == "pid":
        result(request, str(os.getpid()))
    elif name == "crash":
        sys.stderr.write("about to crash\n")
        sys.stderr.flush()
        os._exit(3)
    elif name == "progress":
        token = request["params"]["_meta"]["progressToken"]
        say({"jsonrpc": "2.0", "method": "notifications/progress", "params": {"progressToken": token}})
        result(request, "done")
    elif name == "announce":
        result(request, "soon")
        say({"jsonrpc": "2.0", "method": "notifications/tools/list_changed"})
    elif name == "child":
        child = subprocess.Popen(["sleep", "600"])
        result(request, str(child.pid))
    elif name == "noise":
        print("this is not JSON", flush=True)
        result(request, "after the noise")
    elif name == "stubborn":
        import signal
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        result(request, str(os.getpid()))
        while True:
            time.sleep(1)
    elif name == "slow":
        threading.Timer(0.3, result, (request, "slow")).start()
    # "hang" gets no answer


if MODE == "exits":
    sys.stderr.write("no configuration\n")
    sys.exit(4)
if MODE == "babbles":
    print("hello, I am no MCP server", flush=True)
    time.sleep(600)

for line in sys.stdin:
    message = json.loads(line)
    method = message.get("method")
    if method == "initialize":
        if MODE == "refuses":
            say({"jsonrpc": "2.0", "id": message["id"], "error": {"code": -32602, "message": "not you"}})
        else:
            say({"jsonrpc": "2.0", "id": message["id"], "result": {"protocolVersion": "2025-06-18"}})
    elif method == "ping":
        say({"jsonrpc": "2.0", "id": message["id"], "result": {}})
    elif method == "tools/call":
        call(message)
