#!/usr/bin/env python3
"""Runs scripted failures against a real KRaft cluster on loopback and records what it does.
usage: recorder.py --work DIR --libs DIR --out DIR --lane N SCRIPT[:REP] ...      (see README.md)"""

import argparse, glob, gzip, json, os, re, shutil, signal, subprocess, sys, threading, time

HERE = os.path.dirname(os.path.abspath(__file__))
ap = argparse.ArgumentParser()
ap.add_argument("--work", required=True)
ap.add_argument("--libs", required=True)
ap.add_argument("--out", required=True)
ap.add_argument("--driver", required=True, help="jar of the compiled Driver")
ap.add_argument("--version", default="4.1.2")
ap.add_argument(
    "--netns",
    action="store_true",
    help="each server in a network namespace of its own (root), so that links can be cut",
)
ap.add_argument("--lane", type=int, default=0)
ap.add_argument("jobs", nargs="+")
A = ap.parse_args()
CTRL, BROK = [101, 102, 103], [1, 2, 3]
BASE = 21000 + 100 * A.lane
PORT = {101: BASE + 1, 102: BASE + 2, 103: BASE + 3, 1: BASE + 11, 2: BASE + 12, 3: BASE + 13}
HOST = {n: f"10.77.{A.lane}.{n}" if A.netns else "127.0.0.1" for n in CTRL + BROK}
BOOT = ",".join(f"{HOST[b]}:{PORT[b]}" for b in BROK)
CBOOT = ",".join(f"{HOST[c]}:{PORT[c]}" for c in CTRL)


def sh(c):
    return subprocess.run(c, shell=True, capture_output=True, text=True)


def net(up):
    for n in CTRL + BROK:
        sh(f"ip link del kv{A.lane}-{n}; ip netns del kf{A.lane}-{n}")
    sh(f"ip link del kbr{A.lane}")
    if not up:
        return
    sh(
        f"ip link add kbr{A.lane} type bridge; ip addr add 10.77.{A.lane}.254/24 dev kbr{A.lane}; ip link set kbr{A.lane} up"
    )
    for n in CTRL + BROK:
        ns, v = f"kf{A.lane}-{n}", f"kv{A.lane}-{n}"
        r = sh(
            f"ip netns add {ns} && ip link add {v} type veth peer name e0 netns {ns} && ip link set {v} master kbr{A.lane} up && ip netns exec {ns} ip link set lo up && ip netns exec {ns} ip addr add {HOST[n]}/24 dev e0 && ip netns exec {ns} ip link set e0 up"
        )
        assert r.returncode == 0, r.stderr


DIRID = {101: "AAAAAAAAAAAAAAAAAAAAZQ", 102: "AAAAAAAAAAAAAAAAAAAAZg", 103: "AAAAAAAAAAAAAAAAAAAAZw"}
CP = f"{A.libs}/*"
JVM = [
    "-Xmx256m",
    "-Xms96m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-Xshare:auto",
    f"-Dlog4j2.configurationFile={HERE}/log4j2.xml",
]


def jsa(n):
    f = f"{A.work}/{n}-{A.version}.jsa"
    return [f"-XX:SharedArchiveFile={f}"] if os.path.exists(f) else []


DUMP = (
    "kafka.tools.DumpLogSegments" if A.version.startswith("4.1") else "org.apache.kafka.tools.DumpLogSegments"
)


def prio(
    p, n
):  # the scheduler's weight of a process that leads its own session (autogroup) - so that other work on the machine does not disturb the recording
    for f, v in ((f"/proc/{p.pid}/autogroup", n),):
        try:
            open(f, "w").write(str(v))
        except OSError:
            pass
    try:
        tids = os.listdir(f"/proc/{p.pid}/task")
    except OSError:
        return
    for t in tids:
        try:
            os.setpriority(os.PRIO_PROCESS, int(t), n)
        except OSError:
            pass


def now():
    return time.time() * 1000


def props(node, root, extra=None):
    p = {
        "node.id": node,
        "controller.quorum.bootstrap.servers": CBOOT,
        "controller.listener.names": "CONTROLLER",
        "log.dirs": f"{root}/n{node}",
        "offsets.topic.num.partitions": 6,
        "auto.create.topics.enable": "false",
    }
    if node > 100:
        p.update({"process.roles": "controller", "listeners": f"CONTROLLER://{HOST[node]}:{PORT[node]}"})
    else:
        p.update({"process.roles": "broker", "listeners": f"PLAINTEXT://{HOST[node]}:{PORT[node]}"})
    p["listener.security.protocol.map"] = "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT"
    p.update({k: v for k, v in (extra or {}).items()})
    f = f"{root}/n{node}.properties"
    with open(f, "w") as o:
        for k, v in p.items():
            o.write(f"{k}={v}\n")
    return f


def template():
    t = f"{A.work}/tmpl-{A.version}-{A.lane}"
    if os.path.exists(t + "/ok"):
        return t
    shutil.rmtree(t, ignore_errors=True)
    os.makedirs(t)
    ini = ",".join(f"{c}@{HOST[c]}:{PORT[c]}:{DIRID[c]}" for c in CTRL)
    for n in CTRL + BROK:
        f = props(n, t)
        cmd = (
            ["java"]
            + JVM
            + [
                "-Dlvl=WARN",
                "-cp",
                CP,
                "kafka.tools.StorageTool",
                "format",
                "-t",
                "MkU3OEVBNTcwNTJENDM2Qg",
                "-c",
                f,
            ]
        )
        cmd += ["--initial-controllers", ini] if n > 100 else ["--no-initial-controllers"] if False else []
        r = subprocess.run(cmd, capture_output=True, text=True)
        print(r.stdout.strip(), r.stderr.strip()[-300:], flush=True)
        assert r.returncode == 0
    open(t + "/ok", "w").close()
    return t


class Cluster:
    def __init__(self, root, extra_broker=None, extra_ctrl=None):
        self.root, self.p, self.log = root, {}, {}
        self.eb, self.ec = extra_broker or {}, extra_ctrl or {}
        self.events = []
        t = template()
        shutil.rmtree(root, ignore_errors=True)
        os.makedirs(root)
        for n in CTRL + BROK:
            shutil.copytree(f"{t}/n{n}", f"{root}/n{n}")

    def ev(self, what, node=None, t=None):
        self.events.append({"t": now() if t is None else t, "what": what, "node": node})
        print("   ", what, node, flush=True)

    def start(self, n, note=True):
        f = props(n, self.root, self.ec if n > 100 else self.eb)
        out = open(f"{self.root}/n{n}.log", "ab")
        self.p[n] = subprocess.Popen(
            (["ip", "netns", "exec", f"kf{A.lane}-{n}"] if A.netns else [])
            + ["java"]
            + JVM
            + jsa("broker" if n < 100 else "controller")
            + ["-cp", CP, "kafka.Kafka", f],
            stdout=out,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        if note:
            prio(self.p[n], -6)
            self.ev("start", n)

    def sig(self, n, s, name):
        t = now()
        os.kill(self.p[n].pid, s)
        self.ev(name, n, t)

    def kill(self, n):
        self.sig(n, signal.SIGKILL, "kill")
        self.p[n].wait()

    def kill_all(self, ns):
        for n in ns:
            self.sig(n, signal.SIGKILL, "kill")
        for n in ns:
            self.p[n].wait()

    def term(self, n):
        self.sig(n, signal.SIGTERM, "term")

    def wait_exit(self, n):
        self.p[n].wait()
        self.ev("exited", n)

    def stop(self, n):
        self.sig(n, signal.SIGSTOP, "pause")

    def cont(self, n):
        self.sig(n, signal.SIGCONT, "resume")

    def cut(self, n):
        t = now()
        sh(f"ip link set kv{A.lane}-{n} down")
        self.ev("cut", n, t)

    def heal(self, n):
        t = now()
        sh(f"ip link set kv{A.lane}-{n} up")
        self.ev("heal", n, t)

    def end(self):
        for n, p in self.p.items():
            if p.poll() is None:
                try:
                    os.kill(p.pid, signal.SIGCONT)
                except OSError:
                    pass
                p.kill()
        for p in self.p.values():
            p.wait()


class Load:
    def __init__(self, root, conf, mode="load"):
        self.lines, self.cv, self.t0 = [], threading.Condition(), None
        self.dir = root + "/out"
        os.makedirs(self.dir, exist_ok=True)
        conf = dict(conf)
        netlvl = conf.pop("netlvl", "WARN")
        conf["bootstrap"] = BOOT
        conf["out"] = self.dir
        with open(f"{root}/load.properties", "w") as o:
            for k, v in conf.items():
                o.write(f"{k}={v}\n")
        self.p = subprocess.Popen(
            [
                "java",
                "-Xmx400m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-Dlvl=WARN",
                f"-Dnetlvl={netlvl}",
                f"-Dlog4j2.configurationFile={HERE}/log4j2.xml",
            ]
            + jsa("driver")
            + ["-cp", f"{A.driver}:{CP}", "Driver", mode, f"{root}/load.properties"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            bufsize=1,
            start_new_session=True,
        )
        self.logf = open(f"{root}/driver.log", "w")
        threading.Thread(target=self.reader, daemon=True).start()

    def reader(self):
        for l in self.p.stdout:
            self.logf.write(l)
            self.logf.flush()
            if re.match(r"^(T0|TOPIC|WHO|COORD|READY|PLACED|SETTLED|HOLD|DONE|GROUP|MEMBERDIED|FINALLOG)", l):
                with self.cv:
                    self.lines.append(l.strip())
                    self.cv.notify_all()
        with self.cv:
            self.lines.append("EOF")
            self.cv.notify_all()

    def wait(self, prefix, timeout=120, since=0):
        end = time.time() + timeout
        with self.cv:
            while True:
                for l in self.lines[since:]:
                    if l.startswith(prefix):
                        return l
                if "EOF" in self.lines or time.time() > end:
                    return None
                self.cv.wait(0.5)

    def ask(self, q, prefix="WHO", timeout=10):
        k = len(self.lines)
        self.p.stdin.write(q + "\n")
        self.p.stdin.flush()
        return self.wait(prefix, timeout, k)

    def who(self):
        l = self.ask("who")
        w = l.split() if l else []
        if len(w) < 3 or w[1] == "error":
            return None
        parts = {}
        for x in w[2:]:
            a = x.split(":")
            parts[int(a[0])] = dict(
                leader=int(a[1]),
                replicas=[int(y) for y in a[2].split("/") if y],
                isr=[int(y) for y in a[3].split("/") if y],
            )
        return int(w[1]), parts


IDEM = {"producer.acks": "all"}


def conf(**k):
    c = {
        "topicconf.min.insync.replicas": 2,
        "rate": 100,
        "seconds": 60,
        "size": 1024,
        "members": 3,
        "partitions": 6,
        "rf": 3,
        "consumer.auto.offset.reset": "earliest",
    }
    c.update(IDEM)
    c.update({a.replace("__", "."): b for a, b in k.items()})
    return c


def schedstat(c):  # seconds the cluster's processes ran, and waited for a processor
    run = wait = 0
    for p in c.p.values():
        try:
            for t in os.listdir(f"/proc/{p.pid}/task"):
                a = open(f"/proc/{p.pid}/task/{t}/schedstat").read().split()
                run += int(a[0])
                wait += int(a[1])
        except OSError:
            pass
    return run / 1e9, wait / 1e9


def at(ld, t):  # sleep until t seconds after T0
    d = ld.t0 + t - time.time()
    if d > 0:
        time.sleep(d)


def roles(ld, t):
    at(ld, t - 1.0)
    w = ld.who()
    q, parts = w
    l = parts[0]["leader"]
    return q, l, [r for r in parts[0]["replicas"] if r != l], parts


def wait_isr(ld, rf, timeout=60):
    end = time.time() + timeout
    while time.time() < end:
        w = ld.who()
        if w and all(len(p["isr"]) == rf for p in w[1].values()):
            return True
        time.sleep(0.25)
    return False


# ---- scripts: (conf, broker extras, function)
def f1(c, ld):
    q, l, fo, _ = roles(ld, 30)
    at(ld, 30)
    c.kill(l)
    at(ld, 55)
    c.start(l)


def f2(c, ld):
    q, l, fo, _ = roles(ld, 15)
    at(ld, 15)
    c.term(l)
    c.wait_exit(l)
    at(ld, 35)
    c.start(l)


def f3(c, ld):
    q, l, fo, _ = roles(ld, 15)
    at(ld, 15)
    c.kill(q)
    at(ld, 35)
    c.start(q)


def f4(c, ld):
    q, l, fo, _ = roles(ld, 15)
    at(ld, 15)
    c.kill_all([q, l])
    at(ld, 45)
    c.start(q)
    c.start(l)


def f5(c, ld):
    q, l, fo, _ = roles(ld, 15)
    o = [x for x in CTRL if x != q][0]
    at(ld, 15)
    c.kill_all([q, o])
    at(ld, 35)
    c.kill(l)
    at(ld, 55)
    c.start(q)
    c.start(o)
    at(ld, 80)
    c.start(l)


def f6(s):
    def f(c, ld):
        q, l, fo, _ = roles(ld, 15)
        at(ld, 15)
        c.stop(l)
        at(ld, 15 + s)
        c.cont(l)

    return f


def f7(c, ld):
    q, l, fo, _ = roles(ld, 15)
    at(ld, 15)
    c.stop(fo[0])
    at(ld, 65)
    c.cont(fo[0])


def f7c(c, ld):  # the group's coordinator stands still
    q, l, fo, _ = roles(ld, 15)
    k = int(ld.ask("coord payment", "COORD").split()[1])
    c.ev("leader-is", l)
    at(ld, 15)
    c.stop(k)
    at(ld, 65)
    c.cont(k)


def f8(c, ld):
    at(ld, 15)
    for b in BROK:
        c.term(b)
        c.wait_exit(b)
        c.start(b)
        time.sleep(1)
        ok = wait_isr(ld, 3)
        c.ev("isr-full" if ok else "isr-timeout", b)


def f8x(c, ld):  # not waiting for anything but the exit: every 8 s the next
    for i, b in enumerate(BROK):
        at(ld, 15 + 8 * i)
        c.term(b)
        c.wait_exit(b)
        c.start(b)


def f9(c, ld):
    q, l, fo, _ = roles(ld, 15)
    at(ld, 15)
    c.kill_all(fo)
    at(ld, 35)
    c.kill(l)
    at(ld, 50)
    c.start(fo[0])
    at(ld, 75)
    c.start(l)
    c.start(fo[1])


def f10(c, ld):
    q, l, fo, _ = roles(ld, 15)
    at(ld, 15)
    c.kill_all(fo)
    at(ld, 40)
    c.start(fo[0])
    at(ld, 50)
    c.start(fo[1])


def f11(c, ld):
    q, l, fo, _ = roles(ld, 15)
    at(ld, 15)
    c.stop(l)
    at(ld, 22)
    c.cont(l)


def f15(c, ld):
    q, l, fo, _ = roles(ld, 15)
    at(ld, 15)
    c.kill(l)
    at(ld, 16)
    c.start(l)


def f12(kind):
    def f(c, ld):  # three members, each a process of its own
        ms = c.members
        at(ld, 15)
        m = ms[0]
        t = now()
        if kind == "kill":
            m.kill()
            c.ev("member-kill", "m0", t)
        if kind == "close":
            m.terminate()
            c.ev("member-close", "m0", t)
        if kind == "pause":
            os.kill(m.pid, signal.SIGSTOP)
            c.ev("member-pause", "m0", t)
            at(ld, 35)
            t = now()
            os.kill(m.pid, signal.SIGCONT)
            c.ev("member-resume", "m0", t)
        if kind == "kill":
            at(ld, 35)
            c.members.append(member(c, 3))
            c.ev("member-start", "m3")

    return f


def none(c, ld):
    pass


def n1(c, ld):  # the leader's machine is cut off
    q, l, fo, _ = roles(ld, 15)
    at(ld, 15)
    c.cut(l)
    at(ld, 35)
    c.heal(l)


def n2(c, ld):  # the active controller's machine is cut off
    q, l, fo, _ = roles(ld, 15)
    at(ld, 15)
    c.cut(q)
    at(ld, 35)
    c.heal(q)


def member(c, i):
    f = f"{c.root}/m{i}.properties"
    with open(f, "w") as o:
        o.write(
            f"bootstrap={BOOT}\nout={c.root}/out\nname=m{i}\nidx={i}\ntopic=orders\nconsumer.group.id=payment\nconsumer.auto.offset.reset=earliest\nconsumer.session.timeout.ms=10000\n"
        )
    lg = open(f"{c.root}/m{i}.log", "ab")
    return subprocess.Popen(
        [
            "java",
            "-Xmx128m",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-Dlvl=INFO",
            f"-Dlog4j2.configurationFile={HERE}/log4j2.xml",
        ]
        + jsa("driver")
        + ["-cp", f"{A.driver}:{CP}", "Driver", "member", f],
        stdout=lg,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )


S = {
    "F1": (conf(seconds=80), {}, f1),
    "F1-debug": (conf(seconds=58, netlvl="DEBUG"), {}, f1),
    "F2": (conf(seconds=55), {}, f2),
    "F3": (conf(seconds=50), {}, f3),
    "F4": (conf(seconds=68), {}, f4),
    "F5": (conf(seconds=98), {}, f5),
    "F6-5": (conf(seconds=35), {}, f6(5)),
    "F6-15": (conf(seconds=52), {}, f6(15)),
    "F6-40": (conf(seconds=75), {}, f6(40)),
    "F7": (conf(seconds=80, partitions=1, members=1), {}, f7),
    "F7-lag": (conf(seconds=80, partitions=1, members=1), {"broker.session.timeout.ms": 90000}, f7),
    "F7-lag-coordinator": (
        conf(seconds=80, partitions=1, members=1),
        {"broker.session.timeout.ms": 90000},
        f7c,
    ),
    "F8": (conf(seconds=75), {}, f8),
    "F8-every-8s": (conf(seconds=75), {}, f8x),
    "F9": (
        conf(
            seconds=95,
            producer__acks=1,
            topicconf__min__insync__replicas=1,
            topicconf__unclean__leader__election__enable="true",
        ),
        {},
        f9,
    ),
    "F10": (
        conf(seconds=68, producer__delivery__timeout__ms=12000, producer__request__timeout__ms=5000),
        {},
        f10,
    ),
    "F10-noretry": (
        conf(
            seconds=68,
            producer__retries=0,
            producer__enable__idempotence="false",
            producer__delivery__timeout__ms=12000,
            producer__request__timeout__ms=5000,
        ),
        {},
        f10,
    ),
    "F11": (
        conf(
            seconds=35,
            producer__enable__idempotence="false",
            producer__acks="all",
            producer__request__timeout__ms=5000,
        ),
        {},
        f11,
    ),
    "F11-acks1": (
        conf(
            seconds=35,
            producer__enable__idempotence="false",
            producer__acks="1",
            producer__request__timeout__ms=5000,
        ),
        {},
        f11,
    ),
    "F12-kill": (conf(seconds=55, members=0), {}, f12("kill")),
    "F12-close": (conf(seconds=35, members=0), {}, f12("close")),
    "F12-pause": (conf(seconds=55, members=0), {}, f12("pause")),
    "F13": (
        {
            "partitions": 6,
            "rf": 3,
            "members": 4,
            "groups": 6,
            "topicconf.min.insync.replicas": 2,
            "consumer.auto.offset.reset": "earliest",
        },
        {},
        None,
    ),
    "F13-stagger": (
        {
            "partitions": 6,
            "rf": 3,
            "members": 4,
            "groups": 6,
            "stagger": 1000,
            "topicconf.min.insync.replicas": 2,
            "consumer.auto.offset.reset": "earliest",
        },
        {},
        None,
    ),
    "F15": (conf(seconds=50), {}, f15),
    "N1": (conf(seconds=75), {}, n1),
    "N2": (conf(seconds=55), {}, n2),
    "WARM": (conf(seconds=6), {}, none),
}
for a_ in ("0", "1", "all"):
    for r_ in (100, 1000):
        S[f"L1-{a_}-{r_}"] = (conf(seconds=60, rate=r_, producer__acks=a_), {}, none)


# ---- the metadata log
def metadata(root):
    best, size = None, -1
    for c in CTRL:
        for f in glob.glob(f"{root}/n{c}/__cluster_metadata-0/*.log"):
            if os.path.getsize(f) > size:
                best, size = f, os.path.getsize(f)
    r = subprocess.run(
        ["java"] + JVM + ["-Dlvl=ERROR", "-cp", CP, DUMP, "--cluster-metadata-decoder", "--files", best],
        capture_output=True,
        text=True,
    )
    recs = []
    epoch = -1
    for l in r.stdout.splitlines():
        m = re.search(r"partitionLeaderEpoch: (\d+)", l)
        if l.startswith("baseOffset") and m:
            epoch = int(m.group(1))
            bt = int(re.search(r"CreateTime: (\d+)", l).group(1))
            continue
        m = re.match(r"\| offset: (\d+) CreateTime: (-?\d+).*?payload: (\{.*\})\s*$", l)
        if m:
            j = json.loads(m.group(3))
            recs.append((int(m.group(1)), int(m.group(2)), epoch, j["type"], j.get("data", {})))
            continue
        m = re.match(
            r"\| offset: (\d+) CreateTime: (-?\d+).*?(LeaderChange|SnapshotHeader|SnapshotFooter|KRaftVersion|KRaftVoters|LEADER_CHANGE)[^{]*(\{.*\}|\(.*\))?",
            l,
        )
        if m:
            d = {}
            if m.group(3) == "LeaderChange":
                j = json.loads(l[l.index("{") :])
                d = {"leader": j["leaderId"], "granting": [v["voterId"] for v in j["grantingVoters"]]}
            recs.append((int(m.group(1)), int(m.group(2)), epoch, m.group(3), d))
            continue
        if l.startswith("|"):
            recs.append((-1, bt, epoch, "OTHER", {"raw": l[:200]}))
    return recs, r.stdout


def uncompact(recs):
    tid = {}
    for o, t, e, ty, d in recs:
        if ty == "TOPIC_RECORD":
            tid[d["topicId"]] = d["name"]
    return tid


def summarize(root, recs, events, t0ms, script):
    tid = uncompact(recs)
    rel = [
        e
        for e in events
        if e["what"] in ("kill", "term", "pause", "cut", "member-kill", "member-close", "member-pause")
    ]
    f = rel[0]["t"] if rel else t0ms
    ms = lambda t: round(t - f, 1)
    meta, parts = [], {}
    for o, t, e, ty, d in recs:
        x = None
        if ty == "PARTITION_RECORD" and tid.get(d["topicId"]) == "orders":
            p = d["partitionId"]
            parts[p] = dict(
                replicas=d["replicas"],
                leader=d["leader"],
                isr=d["isr"],
                le=d["leaderEpoch"],
                pe=d["partitionEpoch"],
            )
            x = dict(
                p=p,
                replicas=d["replicas"],
                leader=d["leader"],
                isr=d["isr"],
                le=d["leaderEpoch"],
                pe=d["partitionEpoch"],
            )
        elif ty == "PARTITION_CHANGE_RECORD" and tid.get(d["topicId"]) == "orders":
            p = d["partitionId"]
            q = parts[p]
            x = dict(p=p)
            if d.get("isr") is not None:
                q["isr"] = d["isr"]
            if d.get("leader", -2) != -2:
                q["leader"] = d["leader"]
                q["le"] += 1
            q["pe"] += 1
            x.update(
                leader=q["leader"], isr=q["isr"], le=q["le"], pe=q["pe"], bump=int(d.get("leader", -2) != -2)
            )
            for k in ("eligibleLeaderReplicas", "lastKnownElr", "leaderRecoveryState"):
                if d.get(k) not in (None, -1):
                    x[k] = d[k]
        elif ty in ("PARTITION_RECORD", "PARTITION_CHANGE_RECORD"):
            continue
        elif ty == "REGISTER_BROKER_RECORD":
            x = {k: d[k] for k in ("brokerId", "brokerEpoch", "fenced", "inControlledShutdown") if k in d}
        elif ty == "BROKER_REGISTRATION_CHANGE_RECORD":
            x = {k: d[k] for k in ("brokerId", "fenced", "inControlledShutdown") if k in d and d[k]}
        elif ty in ("FENCE_BROKER_RECORD", "UNFENCE_BROKER_RECORD"):
            x = d
        elif ty in ("LeaderChange", "OTHER"):
            x = d
        elif ty in ("NO_OP_RECORD", "PRODUCER_IDS_RECORD"):
            continue
        elif ty == "FEATURE_LEVEL_RECORD":
            x = {d["name"]: d["featureLevel"]}
        elif ty == "CONFIG_RECORD":
            x = {k: d[k] for k in ("resourceType", "resourceName", "name", "value") if k in d}
        else:
            x = {}
        meta.append(dict(ms=ms(t), off=o, e=e, type=ty.replace("_RECORD", ""), **x))
    res = dict(
        script=script,
        kafka=A.version,
        fault_ms_after_t0=round(f - t0ms, 1),
        events=[dict(ms=ms(e["t"]), what=e["what"], node=e["node"]) for e in events],
        metadata=meta,
    )
    # server log: lines that matter
    lines = []
    for n in CTRL + BROK:
        for l in open(f"{root}/n{n}.log", errors="replace"):
            m = re.match(r"^(\d{13}) (\w+) (\S+) (.*)$", l)
            if (
                m
                and re.search(
                    r"fencing broker|Fencing broker|has been fenced|unfence|Unfence|Registered broker|Unable to register|controlled shutdown|Becoming the active|Renouncing|became|Completed transition|DUPLICATE_BROKER|Duplicate|Successfully registered|UNCLEAN|unclean|truncat|Truncat|Election|resign|Resign|STARTING|RECOVERY|RUNNING|Kafka Server started|heartbeat",
                    m.group(4),
                )
                and not re.search("RaftManager id.*high-watermark", m.group(4))
            ):
                if len(m.group(4)) < 400 and float(m.group(1)) > f - 200:
                    lines.append(
                        (ms(float(m.group(1))), n, m.group(3), m.group(4)[:260].replace(root + "/", ""))
                    )
    lines.sort()
    res["server_log"] = [f"{a} n{b} {c} {d}" for a, b, c, d in lines][:160]
    return res


def clients(root, res, script):
    d = root + "/out"
    import csv

    if not os.path.exists(d + "/orders.csv"):
        return
    O = list(csv.DictReader(open(d + "/orders.csv")))
    R = list(csv.DictReader(open(d + "/recv.csv"))) if os.path.exists(d + "/recv.csv") else []
    for f in glob.glob(d + "/recv-*.csv"):
        for l in open(f):
            a = l.strip().split(",")
            if len(a) == 5:
                R.append(
                    dict(
                        id=a[0],
                        t_us=str(int(a[1]) - int(res["t0_us"])),
                        partition=a[2],
                        offset=a[3],
                        member=a[4],
                    )
                )
    L = list(csv.DictReader(open(d + "/log.csv")))
    errs = {}
    for o in O:
        errs[o["error"] or "ok"] = errs.get(o["error"] or "ok", 0) + 1
    inlog = {}
    for r in L:
        inlog.setdefault(int(r["id"]), []).append((int(r["partition"]), int(r["offset"])))
    acked = [int(o["id"]) for o in O if o["error"] == ""]
    lost = [i for i in acked if i not in inlog]
    dup = [i for i, v in inlog.items() if len(v) > 1]
    failed_in_log = [int(o["id"]) for o in O if o["error"] not in ("", "PENDING") and int(o["id"]) in inlog]
    # order within a key in the log, and as received
    key = {int(o["id"]): int(o["key"]) for o in O}

    def reorder(seq):
        last, bad = {}, 0
        for i in seq:
            k = key[i]
            if i < last.get(k, -1):
                bad += 1
            else:
                last[k] = i
        return bad

    logre = sum(
        reorder(
            [
                int(r["id"])
                for r in sorted((r for r in L if r["partition"] == p), key=lambda r: int(r["offset"]))
            ]
        )
        for p in {r["partition"] for r in L}
    )
    recvcount = {}
    for r in R:
        recvcount[int(r["id"])] = recvcount.get(int(r["id"]), 0) + 1
    gaps = {}
    byp = {}
    for o in O:
        if o["error"] == "" and o["done_us"]:
            byp.setdefault(int(o["partition"]), []).append(int(o["done_us"]))
    for p, v in sorted(byp.items()):
        v.sort()
        g = [(b - a, a) for a, b in zip(v, v[1:])]
        m = max(g) if g else (0, 0)
        gaps[p] = dict(gap_ms=round(m[0] / 1000, 1), from_ms=round(m[1] / 1000 - res["fault_ms_after_t0"], 1))
    rg = {}
    for r in R:
        rg.setdefault(int(r["partition"]), []).append(int(r["t_us"]))
    recv_gap = {}
    for p, v in sorted(rg.items()):
        v.sort()
        m = max(((b - a, a) for a, b in zip(v, v[1:])), default=(0, 0))
        recv_gap[p] = dict(
            gap_ms=round(m[0] / 1000, 1), from_ms=round(m[1] / 1000 - res["fault_ms_after_t0"], 1)
        )

    def q(v, p):
        return round(v[min(len(v) - 1, int(p * len(v)))] / 1000, 3) if v else None

    ack = sorted(int(o["done_us"]) - int(o["intended_us"]) for o in O if o["error"] == "" and o["done_us"])
    it = {int(o["id"]): int(o["intended_us"]) for o in O}
    first = {}
    for r in R:
        i = int(r["id"])
        t = int(r["t_us"])
        first[i] = min(first.get(i, t), t)
    e2e = sorted(t - it[i] for i, t in first.items())
    qs = lambda v: dict(n=len(v), p50=q(v, 0.5), p90=q(v, 0.9), p99=q(v, 0.99), p999=q(v, 0.999), max=q(v, 1))
    res["client"] = dict(
        orders=len(O),
        results=errs,
        lost_acked=len(lost),
        lost_ids=lost[:20],
        dup_log=len(dup),
        dup_extra=sum(len(v) - 1 for v in inlog.values()),
        failed_but_in_log=len(failed_in_log),
        reordered_in_log=logre,
        log_records=len(L),
        received_distinct=len(recvcount),
        received_twice=sum(1 for v in recvcount.values() if v > 1),
        not_received_but_in_log=sum(1 for i in inlog if i not in recvcount),
        ack_gap=gaps,
        receive_gap=recv_gap,
        ack_latency_ms=qs(ack),
        e2e_ms=qs(e2e),
    )
    # steady ack latency before the fault
    f = res["fault_ms_after_t0"] * 1000
    if f > 5e6:
        v = sorted(
            int(o["done_us"]) - int(o["intended_us"])
            for o in O
            if o["error"] == "" and o["done_us"] and 3e6 < int(o["intended_us"]) < f - 1e6
        )
        res["client"]["ack_before_fault_ms"] = qs(v)
    reb = []
    for f_ in glob.glob(d + "/reb*.csv"):
        for l in open(f_):
            a = l.strip().split(",")
            if a[0].isdigit():
                reb.append(
                    dict(
                        ms=round(int(a[0]) / 1000 - (int(res["t0_us"]) / 1000 + res["fault_ms_after_t0"]), 1),
                        member=a[1],
                        event=a[2],
                        gen=int(a[3]),
                        parts=a[4],
                    )
                )
    reb.sort(key=lambda r: r["ms"])
    res["rebalance"] = reb


def run(script, rep):
    cf, eb, fn = S[script]
    root = f"{A.work}/run-{A.lane}"
    print(f'== {script} rep {rep} kafka {A.version} lane {A.lane} {time.strftime("%H:%M:%S")}', flush=True)
    c = Cluster(root, eb, eb)
    out = f"{A.out}/{script}"
    os.makedirs(out, exist_ok=True)
    try:
        for n in CTRL + BROK:
            c.start(n, False)
        if fn is None:
            ld = Load(root, cf, "group")
            time.sleep(8)
            for p_ in list(c.p.values()) + [ld.p]:
                prio(p_, -10)
            ld.p.wait()
            time.sleep(0.3)
            gs = [l for l in ld.lines if l.startswith("GROUP")]
            reb = [l.strip().split(",") for l in open(root + "/out/reb.csv")]
            res = dict(
                script=script,
                kafka=A.version,
                groups=[dict(group=int(g.split()[1]), stable_ms=float(g.split()[5])) for g in gs],
            )
            starts = {int(g.split()[1]): int(g.split()[3]) for g in gs}
            for g in res["groups"]:
                k = g["group"]
                g["events"] = [
                    dict(
                        ms=round((int(a[0]) - starts[k]) / 1000, 1),
                        member=a[1],
                        event=a[2],
                        gen=int(a[3]),
                        parts=a[4],
                    )
                    for a in reb
                    if a[1].startswith(f"g{k}m")
                ]
            json.dump(res, open(f"{out}/rep{rep}-{A.version}.json", "w"), separators=(",", ":"))
            print([g["stable_ms"] for g in res["groups"]], flush=True)
            return
        if script.startswith("F12"):
            cf = dict(cf, waitline=1, holdopen=1)
        ld = Load(root, cf)
        c.members = []
        if script.startswith("F12"):
            assert ld.wait("TOPIC", 90)
            ld.wait("READY", 30)
            for i in range(3):
                c.members.append(member(c, i))
            end = time.time() + 60
            while time.time() < end:  # all six partitions owned by three members
                own = {}
                for i in range(3):
                    fn_ = f"{root}/out/reb-m{i}.csv"
                    own[i] = set()
                    if os.path.exists(fn_):
                        for l in open(fn_):
                            a = l.strip().split(",")
                            if len(a) < 5:
                                continue
                            if a[2] == "assigned":
                                own[i] |= set(a[4].split(";")) - {""}
                            elif a[2] in ("revoked", "lost"):
                                own[i] -= set(a[4].split(";"))
                if all(len(v) == 2 for v in own.values()):
                    break
                time.sleep(0.2)
            time.sleep(3)
            open(f"{root}/out/go", "w").close()
        for p_ in list(c.p.values()) + [ld.p] + c.members:
            prio(p_, -10)
        l = ld.wait("T0", 120)
        assert l, open(f"{root}/driver.log").read()[-2000:]
        t0us = int(l.split()[1])
        ld.t0 = t0us / 1e6
        s0, w0 = schedstat(c), time.time()
        time.sleep(10)
        s1, w1 = schedstat(c), time.time()
        c.cpu = dict(
            window_s=round(w1 - w0, 1), run_s=round(s1[0] - s0[0], 2), waited_s=round(s1[1] - s0[1], 2)
        )
        fn(c, ld)
        if cf.get("holdopen"):
            ld.wait("HOLD", 200)
            time.sleep(2)
            open(f"{root}/out/finish", "w").close()
        l = ld.wait("DONE", 260)
        print("   ", [x for x in ld.lines if x[:4] in ("SETT", "DONE", "MEMB", "FINA")], flush=True)
        for m in c.members:
            if m.poll() is None:
                m.kill()
        time.sleep(0.5)
    finally:
        for m in getattr(c, "members", []):
            if m.poll() is None:
                os.kill(m.pid, signal.SIGCONT)
                m.kill()
        try:
            ld.p.kill()
        except Exception:
            pass
        c.end()
    recs, dump = metadata(root)
    res = summarize(root, recs, c.events, t0us / 1000, script)
    res["t0_us"] = t0us
    res["cpu_before_fault"] = c.cpu
    clients(root, res, script)
    json.dump(res, open(f"{out}/rep{rep}-{A.version}.json", "w"), separators=(",", ":"))
    if str(rep) == "1" and not script.startswith("L1"):
        with gzip.open(f"{out}/rep{rep}-{A.version}-orders.csv.gz", "wt") as o:
            o.write(open(root + "/out/orders.csv").read())
    print(
        "   ",
        json.dumps(
            {
                k: v
                for k, v in res.get("client", {}).items()
                if k in ("orders", "results", "lost_acked", "dup_log", "reordered_in_log")
            }
        ),
        flush=True,
    )


if A.netns:
    net(True)
for j in A.jobs:
    s, _, r = j.partition(":")
    for attempt in (1, 2):
        try:
            run(s, r or "1")
            break
        except Exception as e:
            import traceback

            traceback.print_exc()
            print(f"!! {s} {r} attempt {attempt} failed", flush=True)
            shutil.copytree(
                f"{A.work}/run-{A.lane}", f"{A.work}/failed-{s}-{r}-{attempt}", dirs_exist_ok=True
            )
if A.netns:
    net(False)
print("LANE DONE", flush=True)
