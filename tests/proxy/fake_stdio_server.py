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


MODERN = MODE in ("modern", "dual")
cancelled = []  # ids of requests that were cancelled
eaten = []
paused = []  # calls of "steps" that wait for one of "go"


def result(request, text):
    say({"jsonrpc": "2.0", "id": request["id"], "result": {"content": [{"type": "text", "text": text}]}})


def error(request, code, message):
    say({"jsonrpc": "2.0", "id": request["id"], "error": {"code": code, "message": message}})


def listen(request):
    meta = {"io.modelcontextprotocol/subscriptionId": request["id"]}
    say({"jsonrpc": "2.0", "method": "notifications/subscriptions/acknowledged", "params": {"_meta": meta}})
    say({"jsonrpc": "2.0", "method": "notifications/tools/list_changed", "params": {"_meta": meta}})


def step(request, number):
    token = request["params"]["_meta"]["progressToken"]
    say({"jsonrpc": "2.0", "method": "notifications/progress", "params": {"progressToken": token, "progress": number}})


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
    elif name == "steps":
        step(request, 1)
        paused.append(request)
    elif name == "go":
        for one in paused:
            step(one, 2)
            result(one, "done")
        paused.clear()
        result(request, "gone")
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
    elif name == "cancelled":
        result(request, json.dumps(cancelled))
    elif name == "ask":
        say({"jsonrpc": "2.0", "id": "s1", "method": "roots/list"})
        answer = json.loads(sys.stdin.readline())
        result(request, json.dumps(answer.get("error", {}).get("code", answer.get("result"))))
    elif name == "eat":
        eaten.append(bytearray(arguments["bytes"]))
        eaten[-1][::4096] = b"x" * len(eaten[-1][::4096])
        result(request, str(os.getpid()))
    elif name == "stop":
        time.sleep(600)  # and reads nothing any more
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
    if method == "server/discover" and MODERN:
        say({"jsonrpc": "2.0", "id": message["id"], "result": {"supportedVersions": ["2026-07-28"]}})
    elif method == "server/discover" and MODE == "strict":
        sys.exit(5)  # as servers do that must hear initialize first
    elif method == "server/discover":
        error(message, -32601, "unknown")
    elif method == "subscriptions/listen" and MODERN:
        listen(message)
    elif method == "notifications/cancelled":
        cancelled.append(message["params"]["requestId"])
    elif method == "initialize":
        if MODE == "modern":
            error(message, -32601, "this server speaks 2026-07-28")
        elif MODE == "refuses":
            say({"jsonrpc": "2.0", "id": message["id"], "error": {"code": -32602, "message": "not you"}})
        else:
            say({"jsonrpc": "2.0", "id": message["id"], "result": {"protocolVersion": "2025-06-18"}})
    elif method == "ping":
        say({"jsonrpc": "2.0", "id": message["id"], "result": {}})
    elif method == "tools/call":
        call(message)
