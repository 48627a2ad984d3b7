"""Ways to lose or to delay orders, each with and without what protects from it: the scenario shows the failure, the same
scenario with one setting changed does not, with every seed.

KRAFTSIM_SWEEP=20 plays that many seeds of each; without it three.
"""
import json
import os
import pathlib
import tempfile
import unittest

from kraftsim import SCENARIOS, kraftsim

SEEDS = range(1, 1 + int(os.environ.get("KRAFTSIM_SWEEP", "3")))

# Scenario, and what protects. Without it the scenario's own expectation of the failure holds; with it, it must not.
PAIRS = [
    ("acks1-leader-crash-loss", "clients.order-service.config.acks=all"),
    ("unclean-leader-election-loss", "cluster.config.unclean.leader.election.enable=false"),
    ("lrs-unclean-restart", "cluster.history.eligible-leader-replicas=on"),
    ("stale-leader-split-brain-acks1", "clients.order-service.config.acks=all"),
    ("correlated-power-loss-no-fsync", "faults.0.powerloss.target=broker-1"),
    ("correlated-power-loss-no-fsync", "topics.orders.config.flush.messages=1"),
    ("acks-all-min-isr-1-loss", "topics.orders.config.min.insync.replicas=2"),
    ("log-recovery-after-kill", "topics.orders.config.segment.bytes=1048576"),
    ("rolling-restart-rf2", "topics.orders.replication.factor=3"),
    ("partition-expansion-latest-skip", "clients.payment.config.auto.offset.reset=earliest"),
    ("follower-read-stuck-on-laggard", "cluster.history.preferred-replica-only-isr=on"),
    ("reassignment-starves-replication", "cluster.config.leader.replication.throttled.rate=150000"),
    ("partition-count-change-key-order", "faults.0.for=1s"),
    ("cross-zone-reads", "cluster.config.replica.selector.class=org.apache.kafka.common.replica.RackAwareReplicaSelector"),
    ("lag-exceeds-retention", "topics.orders.config.retention.ms=600000"),
    ("producer-clock-skew-retention", "topics.orders.config.message.timestamp.type=LogAppendTime"),
    ("idle-group-offset-expiry", "cluster.config.offsets.retention.minutes=10080"),
    ("compacted-orders-lose-steps", "topics.orders.config.cleanup.policy=delete"),
    ("az-partition-minority-side", "clients.order-service.config.acks=all"),
    ("retry-duplicate-no-idempotence", "clients.order-service.config.enable.idempotence=true"),
    ("unreachable-advertised-listener", "clients.order-service.config.partitioner.availability.timeout.ms=1000"),
    ("stretch-cluster-latency", "cluster.config.controller.quorum.fetch.timeout.ms=10000"),
    ("noisy-neighbour", "cluster.quotas.import.producer_byte_rate=300kB/s"),
    ("catch-up-over-a-narrow-link", "cluster.config.leader.replication.throttled.rate=150000"),
    ("log-dir-failure-leader-stuck", "cluster.history.failed-log-directories=on"),
    ("dead-follower-directory-stalls-acks-all", "clients.order-service.config.acks=1"),
    ("disk-full-everywhere", "faults.0.disk-full.target=broker-1"),
    ("slow-leader-gray-failure", "faults.1.at=40s"),
    ("strict-min-isr-hides-acks1", "cluster.history.high-watermark-min-isr=off"),
    ("appended-but-refused", "clients.order-service.config.enable.idempotence=true"),
    ("leader-isolated-from-followers", "topics.orders.config.min.insync.replicas=2"),
    ("follower-cut-from-controller-only", "topics.orders.replication.factor=3"),
    ("hw-truncation-acked-loss", "cluster.history.truncation=epoch"),
    ("hw-truncation-divergence-after-power-loss", "cluster.history.truncation=epoch"),
    ("fast-failover-divergence", "cluster.history.truncation=epoch-search"),
    ("isr-stale-broker-epoch", "cluster.history.isr-broker-epoch=on"),
    ("isr-expansion-guards-removed", "cluster.history.isr-maximal=on"),
    ("zombie-follower-feeds-hw", "cluster.history.fetch-leader-epoch=on"),
    ("flapping-voter", "cluster.history.pre-vote=off"),  # the other way round: the scenario is the protected side
]

# Orders are lost on both sides, for acks or elections allow it: what is protected from is that replicas differ.
LOSES_EITHER_WAY = {"flapping-voter", "hw-truncation-divergence-after-power-loss", "fast-failover-divergence", "zombie-follower-feeds-hw"}


def summary_of(scenario, seed, *settings):
    with tempfile.TemporaryDirectory() as folder:
        run = pathlib.Path(folder) / "run"
        arguments = [word for setting in settings for word in ("--set", setting)]
        done = kraftsim("run", SCENARIOS / f"{scenario}.yaml", "--seed", seed, "--out", run, "--quiet", *arguments)
        return done.returncode, json.loads((run / "summary.json").read_text())


class Pairs(unittest.TestCase):
    def test_each_failure_happens_and_each_protection_prevents_it(self):
        for scenario, protection in PAIRS:
            for seed in SEEDS:
                with self.subTest(scenario=scenario, seed=seed):
                    code, as_written = summary_of(scenario, seed)
                    self.assertEqual((0, "ok"), (code, as_written["invariants"]["verdict"]))
                    code, changed = summary_of(scenario, seed, protection)
                    self.assertEqual((1, "ok"), (code, changed["invariants"]["verdict"]))
                    if scenario not in LOSES_EITHER_WAY:
                        self.assertEqual(0, changed["orders"]["lost"])


if __name__ == "__main__":
    unittest.main()
