"""A YAML language server, spoken to over its standard streams as an editor does (LSP 3)."""
import json
import select
import subprocess
import time


class Server:
    def __init__(self, program, schema):
        self.process = subprocess.Popen(["node", str(program), "--stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.next_id = 0
        self.buffer = b""
        self.settings = {"yaml": {"schemas": {schema: ["*.yaml"]}, "validate": True, "completion": True, "schemaStore": {"enable": False}}}
        self.request("initialize", {"processId": None, "rootUri": None, "capabilities": {"workspace": {"configuration": True}}})
        self.notify("initialized", {})
        self.notify("workspace/didChangeConfiguration", {"settings": self.settings})

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()

    def send(self, message):
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self.process.stdin.flush()

    def notify(self, method, params):
        self.send({"method": method, "params": params})

    def receive(self, until):
        """The next message; what the server asks is answered on the way."""
        while True:
            head, divider, rest = self.buffer.partition(b"\r\n\r\n")
            if divider:
                size = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
                if len(rest) >= size:
                    self.buffer = rest[size:]
                    message = json.loads(rest[:size])
                    if "id" in message and "method" in message:
                        items = message.get("params", {}).get("items", [])
                        answer = [self.settings.get(item.get("section", "").split(".")[0], None) for item in items] or None
                        self.send({"id": message["id"], "result": answer})
                        continue
                    return message
            left = until - time.monotonic()
            if left <= 0 or not select.select([self.process.stdout], [], [], left)[0]:
                raise TimeoutError("the language server says nothing")
            self.buffer += self.process.stdout.read1(65536)

    def request(self, method, params):
        self.next_id += 1
        self.send({"id": self.next_id, "method": method, "params": params})
        until = time.monotonic() + 60
        while True:
            message = self.receive(until)
            if message.get("id") == self.next_id:
                return message["result"]

    def open(self, name, text):
        self.notify("textDocument/didOpen", {"textDocument": {"uri": f"file:///{name}", "languageId": "yaml", "version": 1, "text": text}})

    def diagnostics(self, name, text):
        """What it finds wrong; it may look twice, the second time with the schema."""
        self.open(name, text)
        found, until = [], time.monotonic() + 60
        while True:
            try:
                message = self.receive(until)
            except TimeoutError:
                return found
            if message.get("method") == "textDocument/publishDiagnostics" and message["params"]["uri"].endswith(name):
                found = [one["message"] for one in message["params"]["diagnostics"]]
                until = time.monotonic() + 3

    def completions(self, name, text, line, column):
        self.open(name, text)
        result = self.request("textDocument/completion", {"textDocument": {"uri": f"file:///{name}"}, "position": {"line": line, "character": column}})
        return [item["label"] for item in (result if isinstance(result, list) else result["items"])]
