"""Ways to lose or to delay orders, each with and without what protects from it: the scenario shows the failure, the same
scenario with one setting changed does not, with every seed.

KRAFTSIM_SWEEP=20 plays that many seeds of each; without it two.
"""
import concurrent.futures
import functools
import json
import os
import pathlib
import tempfile
import typing
import unittest

from kraftsim import SCENARIOS, kraftsim

SEEDS = range(1, 1 + int(os.environ.get("KRAFTSIM_SWEEP", "2")))


class Pair(typing.NamedTuple):
    scenario: str
    protection: str     # the setting that protects; several are divided by a blank
    verdicts: str = ""  # what the failure is called, and the protected side must not be; none: orders only take longer


# Without the protection the scenario's own expectation of the failure holds; with it, it must not.
PAIRS = [
    Pair("acks1-leader-crash-loss", "clients.order-service.config.acks=all", "LOST(acked)"),
    Pair("unclean-leader-election-loss", "cluster.config.unclean.leader.election.enable=false", "LOST(acked)"),
    Pair("lrs-unclean-restart", "cluster.history.eligible-leader-replicas=on", "LOST(acked)"),
    Pair("stale-leader-split-brain-acks1", "clients.order-service.config.acks=all", "LOST(acked)"),
    Pair("correlated-power-loss-no-fsync", "faults.0.powerloss.target=broker-1", "LOST(acked)"),
    Pair("correlated-power-loss-no-fsync", "topics.orders.config.flush.messages=1", "LOST(acked)"),
    Pair("acks-all-min-isr-1-loss", "topics.orders.config.min.insync.replicas=2", "LOST(acked)"),
    Pair("log-recovery-after-kill", "topics.orders.config.segment.bytes=1048576"),
    Pair("rolling-restart-rf2", "topics.orders.replication.factor=3"),
    Pair("partition-expansion-latest-skip", "clients.payment.config.auto.offset.reset=earliest", "LOST(group)"),
    Pair("follower-read-stuck-on-laggard", "cluster.history.preferred-replica-only-isr=on"),
    Pair("reassignment-starves-replication", "cluster.config.leader.replication.throttled.rate=300000"),
    Pair("partition-count-change-key-order", "faults.1.at=11s", "REORDER(key)"),
    Pair("cross-zone-reads", "cluster.config.replica.selector.class=org.apache.kafka.common.replica.RackAwareReplicaSelector"),
    Pair("lag-exceeds-retention", "topics.orders.config.retention.ms=600000", "LOST(group)"),
    Pair("producer-clock-skew-retention", "topics.orders.config.message.timestamp.type=LogAppendTime", "LOST(group)"),
    Pair("producer-clock-skew-retention", "topics.orders.config.message.timestamp.before.max.ms=86400000", "LOST(group)"),
    Pair("idle-group-offset-expiry", "cluster.config.offsets.retention.minutes=10080", "LOST(group)"),
    Pair("compacted-orders-lose-steps", "topics.orders.config.cleanup.policy=delete", "LOST(group)"),
    Pair("compacted-orders-lose-steps", "topics.orders.config.min.compaction.lag.ms=600000", "LOST(group)"),
    Pair("az-partition-minority-side", "clients.order-service.config.acks=all", "LOST(acked) DUP(log)"),
    Pair("offsets-reset-charges-again", "faults.1.at=40s", "DUP(effect)"),
    Pair("retry-duplicate-no-idempotence", "clients.order-service.config.enable.idempotence=true", "DUP(log)"),
    Pair("unreachable-advertised-listener", "clients.order-service.config.partitioner.availability.timeout.ms=1000"),
    Pair("stretch-cluster-latency", "cluster.config.controller.quorum.fetch.timeout.ms=10000"),
    Pair("noisy-neighbour", "cluster.quotas.import.producer_byte_rate=300kB/s"),
    Pair("catch-up-over-a-narrow-link", "cluster.config.leader.replication.throttled.rate=150000"),
    Pair("log-dir-failure-leader-stuck", "cluster.history.failed-log-directories=on", "FAILED"),
    Pair("dead-follower-directory-stalls-acks-all", "clients.order-service.config.acks=1"),
    Pair("disk-full-everywhere", "faults.0.disk-full.target=broker-1", "FAILED"),
    Pair("slow-leader-gray-failure", "faults.1.at=40s", "FAILED"),
    Pair("strict-min-isr-hides-acks1", "cluster.history.high-watermark-min-isr=off"),
    Pair("strict-min-isr-hides-acks1", "topics.orders.config.min.insync.replicas=1"),
    Pair("appended-but-refused", "clients.order-service.config.enable.idempotence=true", "DUP(log)"),
    Pair("leader-isolated-from-followers", "topics.orders.config.min.insync.replicas=2", "LOST(acked)"),
    Pair("follower-cut-from-controller-only", "topics.orders.replication.factor=3"),
    Pair("hw-truncation-acked-loss", "cluster.history.truncation=epoch", "LOST(acked) DIVERGED"),
    Pair("hw-truncation-acked-loss", "cluster.history.truncation=fetch", "LOST(acked) DIVERGED"),
    Pair("hw-truncation-divergence-after-power-loss", "cluster.history.truncation=epoch", "DIVERGED"),
    Pair("fast-failover-divergence", "cluster.history.truncation=epoch-search", "DIVERGED"),
    Pair("fast-failover-divergence", "cluster.history.truncation=fetch", "DIVERGED"),
    Pair("isr-stale-broker-epoch", "cluster.history.isr-broker-epoch=on", "LOST(acked)"),
    Pair("isr-expansion-guards-removed", "cluster.history.isr-maximal=on", "LOST(acked)"),
    Pair("zombie-follower-feeds-hw", "cluster.history.fetch-leader-epoch=on", "DIVERGED"),
    Pair("read-uncommitted-aborted-read", "clients.fulfillment.config.isolation.level=read_committed", "ABORTED-READ"),
    Pair("hung-transaction-blocks-readers", "clients.import.config.transaction.timeout.ms=5000"),
    Pair("commit-before-process-loss", "clients.payment.commit=transaction clients.payment.transactional.id=payment", "LOST(group)"),
    Pair("transactional-zombie", "clients.payment.commit=transaction clients.payment.transactional.id=payment", "DUP(log)"),
    Pair("eos-without-group-metadata", "clients.payment.group.metadata=true", "DUP(log)"),
    Pair("transactional-id-per-start", "clients.payment.transactional.id.per=member"),
    Pair("max-poll-interval-eviction-loop", "clients.payment.config.max.poll.records=20", "DUP(effect)"),
    Pair("zombie-consumer-gc-pause", "clients.payment.config.session.timeout.ms=120000", "DUP(effect)"),
    Pair("rebalance-storm-rolling-deploy", "clients.payment.config.partition.assignment.strategy=cooperative-sticky"),
    Pair("rebalance-storm-rolling-deploy", "clients.payment.config.group.protocol=consumer"),
    Pair("autocommit-async-processing-loss", "clients.payment.commit=after-batch", "LOST(group)"),
    Pair("autocommit-async-processing-loss", "clients.payment.workers=1", "LOST(group)"),
    Pair("rebalance-mid-batch-double-payment", "clients.payment.config.group.protocol=classic", "DUP(effect)"),
    Pair("rebalance-mid-batch-double-payment", "clients.payment.commit=auto", "DUP(effect)"),
    Pair("flapping-voter", "cluster.history.pre-vote=off"),  # the other way round: the scenario is the protected side
]

# Orders are lost on both sides, for acks or elections allow it: what is protected from is that replicas differ.
LOSES_EITHER_WAY = {"flapping-voter", "hw-truncation-divergence-after-power-loss", "fast-failover-divergence", "zombie-follower-feeds-hw"}


@functools.cache
def summary_of(scenario, seed, *settings):
    with tempfile.TemporaryDirectory() as folder:
        run = pathlib.Path(folder) / "run"
        arguments = [word for setting in settings for word in ("--set", setting)]
        done = kraftsim("run", SCENARIOS / f"{scenario}.yaml", "--seed", seed, "--out", run, "--quiet", *arguments)
        return done.returncode, json.loads((run / "summary.json").read_text())


def verdicts_of(summary):
    return {verdict["verdict"] for verdict in summary["verdicts"]}


class Pairs(unittest.TestCase):
    @classmethod
    def setUpClass(cls):  # plays each run once, several at a time
        runs = {(pair.scenario, seed, *setting) for pair in PAIRS for seed in SEEDS for setting in ((), tuple(pair.protection.split()))}
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(lambda run: summary_of(*run), sorted(runs)))

    def test_each_failure_happens_and_each_protection_prevents_it(self):
        for scenario, protection, expected in PAIRS:
            for seed in SEEDS:
                with self.subTest(scenario=scenario, protection=protection, seed=seed):
                    code, as_written = summary_of(scenario, seed)
                    self.assertEqual((0, "ok"), (code, as_written["invariants"]["verdict"]))
                    self.assertLessEqual(set(expected.split()), verdicts_of(as_written))
                    code, changed = summary_of(scenario, seed, *protection.split())
                    self.assertEqual((1, "ok"), (code, changed["invariants"]["verdict"]))
                    self.assertEqual(set(), set(expected.split()) & verdicts_of(changed))
                    if scenario not in LOSES_EITHER_WAY:
                        self.assertEqual(0, changed["orders"]["lost"])


if __name__ == "__main__":
    unittest.main()
