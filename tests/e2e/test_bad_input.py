"""What people paste and type, as it comes: properties files as Java reads them, order logs, numbers beyond all reason. Each is
taken as Kafka takes it, or refused with file, line, column and the way out."""
import csv
import pathlib
import shutil
import tempfile
import unittest

from kraftsim import kraftsim, manifest

HEAD = "schema: kraftsim/v1\nduration: 20s\ncluster: {brokers: 3}\ntopics: {orders: {partitions: 3}}\n"


class BadInput(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="kraftsim-test-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def write(self, text, name="shop.yaml"):
        file = self.folder / name
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return file

    def check(self, text, *more, expect=0):
        done = kraftsim("check", self.write(text), *more)
        self.assertEqual(done.returncode, expect, done.stdout + done.stderr)
        return done

    def run_it(self, text, *more, expect=0, name="run"):
        run = self.folder / name
        done = kraftsim("run", self.write(text), "--out", run, "--force", *more)
        self.assertEqual(done.returncode, expect, done.stdout + done.stderr)
        return run, done


class Properties(BadInput):
    def producer_with(self, properties, expect=0):
        self.write(properties, "producer.properties")
        return self.check(HEAD + "clients: {svc: {produces: orders, arrivals: {constant: 10/s}, config: {file: producer.properties}}}\n",
                          "--resolve", expect=expect)

    def test_a_setting_without_effect_is_listed_once_wherever_it_stands(self):
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "twice.yaml"
            file.write_text("schema: kraftsim/v1\nduration: 9s\ncluster: {brokers: 3, config: {zookeeper.connect: x, ssl.protocol: TLS}}\n"
                            "topics: {jobs: {}}\nclients:\n  p: {produces: jobs, arrivals: {constant: 1/s}, "
                            "config: {zookeeper.connect: x, ssl.protocol: TLS}}\n")
            said = kraftsim("check", file).stderr
            for name in ("zookeeper.connect", "ssl.protocol"):
                listed = [line for line in said.splitlines() if "warning: " in line and name in line]
                self.assertEqual(1, len(listed), said)
                self.assertEqual(1, listed[0].split("warning: ")[1].count(name), said)

    def test_files_that_kafka_takes(self):
        takes = {
            b"acks: all\nlinger.ms:7\n": ["acks: all", "linger.ms: 7"],
            b"acks all\nlinger.ms\t7\n": ["acks: all", "linger.ms: 7"],
            b"! a comment\nacks=all\n": ["acks: all"],
            b"\xef\xbb\xbf# producer\nacks=1\n": ["acks: 1"],
            b"# Gr\xfc\xdfe\nacks=1\n": ["acks: 1"],
            b"acks=1\x0c\nlinger.ms=7\n": ["acks: 1", "linger.ms: 7"],
            b"\\u0061cks=1\nlinger.ms=7\n": ["acks: 1", "linger.ms: 7"],
            b"ssl.endpoint.identification.algorithm\nacks=1\n": ["acks: 1"],
            b"client.id=svc#1\nacks=1\n": ['client.id: "svc#1"', "acks: 1"],
            b"client.id=a\\:b\\=c\\\\d\n": ['client.id: "a:b=c\\\\d"'],
            b"sasl.jaas.config=org.example.LoginModule required \\\n  username=\"u\" \\\n  password=\"p\";\nacks=1\n": ["acks: 1"],
        }
        for text, lines in takes.items():
            with self.subTest(text=text):
                resolved = self.producer_with(text).stdout
                for line in lines:
                    self.assertIn(line, resolved)

    def test_settings_of_the_other_group_protocol_are_refused_where_they_stand(self):
        def refused(config, at, said):
            done = self.check(HEAD + "clients:\n  p: {produces: orders, arrivals: {constant: 1/s}}\n"
                              "  pay:\n    consumes: orders\n    config:\n" + "".join(f"      {line}\n" for line in config), expect=2)
            self.assertRegex(done.stderr, rf"shop\.yaml:{at}: error: .*{said}")
        new = "group.protocol: consumer"
        for setting in ("partition.assignment.strategy: range", "session.timeout.ms: 10000", "heartbeat.interval.ms: 1000"):
            refused([new, setting], r"11:7|11:\d+", setting.split(":")[0].replace(".", r"\.") + r" cannot be set when group\.protocol=CONSUMER")
        refused(["group.remote.assignor: uniform"], r"10:\d+", r"group\.remote\.assignor cannot be set when group\.protocol=CLASSIC")
        refused(["session.timeout.ms: 6000", "heartbeat.interval.ms: 6000"], r"1[01]:\d+", r"heartbeat\.interval\.ms \(6000\) must be below")
        done = self.check(HEAD.replace("brokers: 3", "brokers: 3, config: {group.consumer.heartbeat.interval.ms: 4000}"), expect=2)
        self.assertRegex(done.stderr, r"group\.consumer\.min\.heartbeat\.interval\.ms")

    def test_the_last_of_two_names_wins_and_that_is_said(self):
        done = self.producer_with(b"acks=1\nlinger.ms=7\nacks=all\n")
        self.assertIn("acks: all", done.stdout)
        self.assertRegex(done.stderr, r'producer\.properties:3:1: warning: .*"acks" twice')

    def test_what_kafka_refuses_is_refused_with_its_place(self):
        done = self.producer_with(b"acks=all # wait for everybody\n", expect=2)
        self.assertRegex(done.stderr, r'producer\.properties:1:6: error: .*acks must be all, -1, 0 or 1, not "all # wait')
        done = self.producer_with(b"a=\\u00zz\n", expect=2)
        self.assertRegex(done.stderr, r"producer\.properties:1:3: error: ")

    def test_a_quoted_block_is_a_block(self):
        done = self.check(HEAD + 'clients: {svc: {produces: orders, arrivals: {constant: 10/s}, config: "acks=1\\nlinger.ms=9\\n"}}\n', "--resolve")
        self.assertIn("linger.ms: 9", done.stdout)
        done = self.check(HEAD + 'clients: {svc: {produces: orders, arrivals: {constant: 10/s}, config: "acks=1\\nlinger.ms=x\\n"}}\n', expect=2)
        self.assertRegex(done.stderr, r"shop\.yaml:5:\d+: error: .*linger\.ms must be a whole number")

    def test_settings_that_kafka_does_not_know_are_listed_once_and_let_in(self):
        text = ("schema: kraftsim/v1\nduration: 20s\ncluster:\n  brokers: 3\n  config:\n    zookeeper.session.timeout.ms: 18000\n"
                "    confluent.support.metrics.enable: false\n    inter.broker.protocol.version: \"3.9\"\n    local.retention.ms: -2\n"
                "    cruise.control.metrics.topic: metrics\n    log.message.timestamp.difference.max.ms: 9223372036854775807\n"
                "topics: {orders: {partitions: 3}}\nclients:\n"
                "  svc: {produces: orders, arrivals: {constant: 10/s}, config: {default.api.timeout.ms: 60000, metadata.recovery.strategy: NONE}}\n"
                "  pay: {consumes: orders, config: {group.protocol: CLASSIC, metadata.recovery.strategy: REBOOTSTRAP}}\n")
        done = self.check(text)
        self.assertEqual(done.stderr.count("Kafka does not read these"), 1, done.stderr)
        for name in ("zookeeper.session.timeout.ms", "confluent.support.metrics.enable", "default.api.timeout.ms (of consumers)"):
            self.assertEqual(done.stderr.count(name), 1 + (name == "zookeeper.session.timeout.ms"), done.stderr)  # once under the caret
        self.check(text, "--strict", expect=2)
        done = self.check(text.replace("local.retention.ms", "num.io.thread"), expect=2)
        self.assertIn("did you mean num.io.threads?", done.stderr)

    def test_secrets_go_no_further(self):
        text = (HEAD.replace("{brokers: 3}", "{brokers: 3, config: {ssl.keystore.password: not-for-others-1}}") + "clients:\n  svc:\n    produces: orders\n"
                "    arrivals: {constant: 10/s}\n    config: |\n      security.protocol=SASL_SSL\n"
                "      sasl.jaas.config=org.example.LoginModule required username=\"u\" \\\n          password=\"not-for-others-2\";\n")
        run, done = self.run_it(text, "--trace", "full", "--set", "cluster.config.ssl.key.password=not-for-others-3")
        said = done.stdout + done.stderr + self.check(text, "--resolve").stdout
        said += self.check(text.replace("sasl.jaas.config=", "sasl.jaas.config=\\u00"), expect=2).stderr
        said += self.check(text.replace("orders\n", "order\n", 1).replace("brokers: 3,", "brokers: x,"), expect=2).stderr
        self.assertNotIn("not-for-others", said)
        for file in run.rglob("*"):
            if file.is_file():
                self.assertNotIn(b"not-for-others", file.read_bytes(), file)

    def test_group_ids_are_any_text_and_the_resolved_scenario_runs(self):
        text = HEAD + "clients:\n  shop: {produces: orders, arrivals: {constant: 10/s}}\n"
        for i, group in enumerate((r"billing#eu", r"billing#us", r"team a/b", "x\\ty", "\\u001b[31m")):
            text += f"  s{i}:\n    consumes: orders\n    config: |\n      group.id={group}\n"
        run, done = self.run_it(text, "--trace", "control")
        self.assertNotIn("\x1b", done.stdout + done.stderr)
        self.assertEqual(kraftsim("replay", run).returncode, 0)
        again, _ = self.run_it((run / "scenario.resolved.yaml").read_text(), name="again")
        self.assertEqual(manifest(run)["fingerprint"], manifest(again)["fingerprint"])


class Traces(BadInput):
    def shop(self, trace, more=""):
        return (HEAD.replace("20s", "60s") + "clients:\n  shop: {produces: orders, start: 8s, arrivals: {trace: " + trace + "}" + more +
                "}\n  pay: {consumes: orders, members: 2}\n")

    def keys(self, run):
        with open(run / "orders.csv", newline="", encoding="utf-8") as file:
            return [(row["key"], row["partition"], int(row["intended_ns"])) for row in csv.DictReader(file)]

    def test_orders_after_the_end_are_counted_and_if_none_is_left_it_is_an_error(self):
        self.write("time,key,size\n2026-03-01T00:00:00Z,a,400\n2026-03-01T00:00:10Z,b,400\n2026-03-02T00:00:00Z,a,400\n", "log.csv")
        run, done = self.run_it(self.shop("log.csv"))
        self.assertRegex(done.stderr, r"shop\.yaml:6:\d+: warning: .*1 of 3 orders of .*log\.csv comes after the end \(duration 60s, start 8s\) and is left out")
        self.assertEqual([key for key, _, _ in self.keys(run)], ["a", "b"])
        self.write("time,key,size\n100,b,1\n", "log.csv")
        done = self.check(self.shop("log.csv"), expect=2)
        self.assertIn("nothing would be played", done.stderr)
        self.assertIn("write duration: 109s", done.stderr)

    def test_an_order_log_with_columns_of_its_own(self):
        self.write("id;created_at;customer;total\n1;3/1/2026 10:02 PM;bob;5\n2;3/1/2026 10:00 PM;anna@example;7\n3;3/1/2026 10:01 PM;bob;7\n", "log.csv")
        trace = "{file: log.csv, time: created_at, key: customer, dates: us, speed: 60x, default.size: 2KB}"
        run, done = self.run_it(self.shop(trace, ", config: {acks: all}"))
        self.assertRegex(done.stderr, r"2 of 3 orders in .*log\.csv come after a later one; they were sorted by time")
        rows = self.keys(run)
        self.assertEqual([(key, at) for key, _, at in rows], [("anna@example", 8 * 10**9), ("bob", 9 * 10**9), ("bob", 10 * 10**9)])
        self.assertEqual(rows[1][1], rows[2][1])
        self.assertEqual(kraftsim("replay", run).returncode, 0)
        done = self.check(self.shop("{file: log.csv}"), expect=2)
        self.assertRegex(done.stderr, r"log\.csv:1:1: error: the header has no column time, only id, created_at, customer, total")

    def test_the_log_of_a_web_server(self):
        self.write("time,key,size\n01/Mar/2026:00:00:01 +0100,a,4\n28/Feb/2026:23:00:00 +0000,b,4\n", "log.csv")
        run, _ = self.run_it(self.shop("log.csv"))
        self.assertEqual([(key, at) for key, _, at in self.keys(run)], [("b", 8 * 10**9), ("a", 9 * 10**9)])

    def test_recorded_keys_decide_the_partition_as_kafka_does_it(self):
        # murmur2 of these bytes, as Kafka's DefaultPartitioner has it for three partitions
        self.write("time,key,size\n1,21,1\n2,foobar,1\n3,a-little-bit-long-string,1\n4,,1\n", "log.csv")
        run, _ = self.run_it(self.shop("log.csv"))
        hashes = {"21": -973932308, "foobar": -790332482, "a-little-bit-long-string": -985981536}
        rows = self.keys(run)
        for key, partition, _ in rows[:3]:
            self.assertEqual(int(partition), (hashes[key] & 0x7fffffff) % 3, key)
        self.assertEqual(rows[3][0], "")


class Limits(BadInput):
    def test_what_is_asked_for_is_bounded(self):
        tail = "clients: {svc: {produces: orders, arrivals: {constant: 10/s}}}\n"
        refused = {
            HEAD.replace("{brokers: 3}", "{brokers: 3, config: {num.network.threads: 2147483647}}") + tail: "at most 10000",
            HEAD.replace("{partitions: 3}", "{partitions: 10000, replication.factor: 3}, b: {partitions: 10000, replication.factor: 3}, "
                         "c: {partitions: 10000, replication.factor: 3}, d: {partitions: 10000, replication.factor: 3}") + tail: "at most 100000",
            HEAD + tail.replace("{constant: 10/s}", "{daily: {low: 1/s, high: 100/s, day: 1ns, peak.at: 0s}}"): "at most 1000000 are played",
            HEAD.replace("20s", "366d") + tail.replace("10/s", "10000000/s"): "at most 200000000 are played",
            HEAD + tail + "faults: [{at: 1s, every: 1us, for: 1ns, pause: {target: broker-1}}]\n": "at most 10000 are carried out",
            HEAD + tail + "faults: [{at: 1s, every: 20ms, delay: {target: broker-1, by: 1ms}}]\n": "at most 100 are carried out",
            HEAD + tail.replace("}}}", "}}, " + ", ".join(f"c{i}: {{consumes: orders, members: 1000}}" for i in range(3)) + "}"): "at most 3000",
        }
        for text, words in refused.items():
            with self.subTest(words=words):
                done = self.check(text, expect=2)
                self.assertIn(words, done.stderr)
                self.assertRegex(done.stderr, r"shop\.yaml:\d+:\d+: error: ")

    def test_a_storm_ends_by_the_budget(self):
        text = HEAD + "clients:\n  svc: {produces: orders, arrivals: {constant: 10/s}}\n  pay: {consumes: orders, config: {heartbeat.interval.ms: 0}}\n"
        _, done = self.run_it(text, "--set", "event.budget=200000", expect=3)
        self.assertIn("event budget", done.stdout)

    def test_control_characters_never_reach_the_terminal(self):
        done = self.check(HEAD + '"\\e[31mbad\\e[0m": 1\n"\\u009b5m": 2\n"\\u202eevil": 3\n', expect=2)
        self.assertNotRegex(done.stdout + done.stderr, "[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]")
        self.assertIn("\\x1b[31mbad", done.stderr)

    def test_units_as_people_write_them(self):
        text = HEAD.replace("{brokers: 3}", "{brokers: 3, disk: {read: 100KB/s}}") + "clients: {svc: {produces: orders, arrivals: {poisson: 100/min}, record.size: 2KB}}\n"
        resolved = self.check(text, "--resolve").stdout
        for line in ("read: 100kB/s", "poisson: 1.667/s", "record.size: 2kB"):
            self.assertIn(line, resolved)
        done = self.check(text.replace("record.size: 2KB", "config: {batch.size: 16KB}"), expect=2)
        self.assertIn("write 16000, or 16384 for the binary unit", done.stderr)
        done = self.check(text.replace("duration: 20s", "duration: 9000d"), expect=2)
        self.assertIn("must be at most 366d", done.stderr)


class Transactions(BadInput):
    """What Kafka's clients and coordinators refuse of transactions is refused with the reason, where it stands."""

    SHOP = "clients:\n  shop: {produces: orders, arrivals: {constant: 10/s}}\n"

    def refused(self, clients, *said, head=HEAD):
        done = self.check(head + "clients:\n" + clients, expect=2)
        for words in said:
            self.assertIn(words, done.stderr)

    def test_what_is_refused(self):
        shop = "  shop: {produces: orders, arrivals: {constant: 10/s}}\n"
        refused = [
            ("  shop: {produces: orders, arrivals: {constant: 10/s}, transactional.id: shop, config: {enable.idempotence: false}}\n",
             "shop.yaml:6:", "needs the idempotent producer"),
            ("  shop: {produces: orders, arrivals: {constant: 10/s}, transactional.id: shop, config: {acks: 1}}\n",
             "shop.yaml:6:", "needs the idempotent producer"),
            ("  shop: {produces: orders, arrivals: {constant: 10/s}, transactional.id: shop, config: {transaction.timeout.ms: 1000000}}\n",
             "shop.yaml:6:", "is above transaction.max.timeout.ms of the brokers (900000)"),
            ("  shop: {produces: orders, arrivals: {constant: 10/s}, config: {transactional.id: shop}}\n",
             "shop.yaml:6:", "write transactional.id: shop one level above"),
            ("  shop: {produces: orders, arrivals: {constant: 10/s}, transaction: {orders: 3}}\n",
             "shop.yaml:6:", 'means something only together with "transactional.id"'),
            (shop + "  pay: {consumes: orders, commit: transaction}\n",
             "shop.yaml:7:", "a transaction is of a producer, and pay produces nothing"),
            (shop + "  pay: {consumes: orders, produces: payments, commit: transaction}\n",
             "shop.yaml:7:", "a transaction needs a transactional.id (such as transactional.id: pay)".split(" (")[0]),
            (shop + "  pay: {consumes: orders, produces: payments, transactional.id: pay, commit: after-batch}\n",
             "shop.yaml:7:", "write commit: transaction"),
            (shop + "  pay: {consumes: orders, produces: orders}\n",
             "shop.yaml:7:", "an order would never end"),
            (shop + "  pay: {consumes: orders, producer.config: {linger.ms: 1}}\n",
             "shop.yaml:7:", 'means something only together with "produces"'),
            (shop + "  pay: {consumes: orders, produces: payments, arrivals: {constant: 1/s}}\n",
             "shop.yaml:7:", 'means nothing beside "consumes"'),
            (shop + "  pay: {consumes: orders, produces: payments, transactional.id: pay, commit: transaction, transaction: {orders: 5}}\n",
             "shop.yaml:7:", "set max.poll.records in config"),
        ]
        for clients, *said in refused:
            with self.subTest(clients=clients):
                self.refused(clients, *said)

    def test_a_pipe_of_services_is_taken(self):
        done = self.check(HEAD + "clients:\n  shop: {produces: orders, arrivals: {constant: 10/s}, transactional.id: shop, transaction: {orders: 5, abort: 10%}}\n"
                          "  pay: {consumes: orders, produces: payments, transactional.id: pay, commit: transaction, producer.config: {linger.ms: 1}}\n"
                          "  ship: {consumes: payments, config: {isolation.level: read_committed}}\n", "--resolve")
        for line in ("transactional.id.per: member", "group.metadata: true", "abort: 10%", "linger.ms: 1"):
            self.assertIn(line, done.stdout)


if __name__ == "__main__":
    unittest.main()
