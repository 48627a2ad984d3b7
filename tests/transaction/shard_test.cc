#include "transaction/shard.h"

#include <doctest/doctest.h>

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/rng.h"
#include "transaction/metadata.h"

// What the coordinator of a transactional id decides: by its state, by epochs, and by time.
namespace sim::transaction {
namespace {

using namespace std::chrono_literals;
using Coordinators = coordinator::Runtime<TransactionShard>;

constexpr TopicPartition kLog{TopicId{9}, 0};
constexpr TopicPartition kFirst{TopicId{1}, 0};
constexpr TopicPartition kSecond{TopicId{1}, 1};

// One shard, whose writes succeed at once unless the test holds them back or fails them.
struct CoordinatorOfOne {
  explicit CoordinatorOfOne(BrokerConfig settings = {})
      : config(std::move(settings)),
        runtime({node::TimerId{node::Part::transaction_coordinator, 0}, 1, Duration{}, 1'000'000, 30s},
                config) {
    runtime.elected(kLog, LeaderEpoch{4});
    act([&](node::Env env, node::Effects& out) { runtime.loaded(kLog, env, out); });
  }

  template <class Call>
  void act(Call call) {
    node::Effects out;
    call(node::Env{now, rng}, out);
    take(out);
    if (holds_writes) return;
    for (auto writes = runtime.take_writes(); !writes.empty(); writes = runtime.take_writes()) {
      for (const auto& write : writes) {
        log.insert(log.end(), write.records.begin(), write.records.end());
        node::Effects after;
        runtime.written(kLog, write.id, outcome, node::Env{now, rng}, after);
        take(after);
      }
    }
  }
  void take(node::Effects& out) {
    for (node::Effect& effect : out) {
      if (auto* sent = std::get_if<node::Send>(&effect)) answers.push_back(std::move(sent->envelope.message));
    }
    runtime.for_each_shard([&](std::int32_t, TransactionShard& shard) {
      for (const AddOutcome& one : shard.take_added()) added.push_back(one.error);
      for (MarkersToSend& one : shard.take_markers()) markers.push_back(std::move(one));
    });
  }
  template <class Call>
  void run(Call call) {
    act([&](node::Env env, node::Effects& out) { runtime.run(0, env, out, call); });
  }
  GenerateProducerId ids() {
    return [this] { return std::optional(ProducerId{next_id++}); };
  }

  InitProducerIdResponse init(ProducerIdAndEpoch expected = {}) {
    InitProducerIdRequest request{expected.id, expected.epoch, "t", 60'000};
    run([&](TransactionShard& shard, const TransactionShard::Step& step) {
      shard.init_producer_id(request, {}, ids(), step);
    });
    return std::get<InitProducerIdResponse>(last());
  }
  ErrorCode add(std::vector<TopicPartition> partitions, ProducerIdAndEpoch producer,
                TransactionVersion version = kTransactionVersion2) {
    run([&](TransactionShard& shard, const TransactionShard::Step& step) {
      shard.add_partitions({"t", producer, partitions}, version, {}, step);
    });
    return added.empty() ? ErrorCode::unknown_server_error : std::exchange(added, {}).back();
  }
  EndTxnResponse end(bool committed, ProducerIdAndEpoch producer,
                     TransactionVersion version = kTransactionVersion2) {
    run([&](TransactionShard& shard, const TransactionShard::Step& step) {
      shard.end_transaction({"t", producer.id, producer.epoch, committed, version}, {}, ids(), step);
    });
    return std::get<EndTxnResponse>(last());
  }
  void markers_written() {
    for (const MarkersToSend& one : std::exchange(markers, {})) {
      run([&](TransactionShard& shard, const TransactionShard::Step& step) {
        for (const TopicPartition tp : one.partitions) shard.marker_done("t", tp);
        shard.maybe_complete("t", step);
      });
    }
  }
  Message last() {
    REQUIRE_FALSE(answers.empty());
    return answers.back();
  }
  ProducerIdAndEpoch producer() const {
    const TransactionMetadata* metadata = runtime.find_shard(0)->find("t");
    return {metadata->now.producer_id, metadata->now.producer_epoch};
  }
  TransactionState state() const { return runtime.find_shard(0)->find("t")->now.state; }

  BrokerConfig config;
  Coordinators runtime;
  Rng rng{1, "test"};
  LocalTime now{10s};
  ErrorCode outcome = ErrorCode::none;
  bool holds_writes = false;
  std::vector<Message> answers;
  std::vector<ErrorCode> added;
  std::vector<MarkersToSend> markers;
  std::vector<TransactionLogRecord> log;
  std::int64_t next_id = 100;
};

ProducerIdAndEpoch before(ProducerIdAndEpoch producer) {
  return {producer.id, ProducerEpoch{static_cast<std::int16_t>(producer.epoch.value() - 1)}};
}

// Brings the transactional id into a state at rest.
void bring_to(TransactionState state, CoordinatorOfOne& one) {
  one.init();
  one.init();  // so that there is an epoch before
  if (state == TransactionState::empty) return;
  REQUIRE(one.add({kFirst}, one.producer()) == ErrorCode::none);
  REQUIRE(one.end(state == TransactionState::complete_commit, one.producer()).error == ErrorCode::none);
  one.markers_written();
  REQUIRE(one.state() == state);
}

TEST_CASE("EndTxn of transaction.version 2, where nothing is open: by state, outcome and epoch") {
  constexpr ErrorCode kFenced = ErrorCode::producer_fenced;
  constexpr ErrorCode kInvalid = ErrorCode::invalid_txn_state;
  constexpr ErrorCode kNone = ErrorCode::none;
  struct Row {
    TransactionState state;
    bool committed;
    bool is_retry;  // of the epoch before
    ErrorCode want;
    bool bumps;
  };
  using enum TransactionState;
  const Row rows[] = {
      {empty, false, true, kFenced, false},
      {empty, false, false, kNone, true},
      {empty, true, true, kFenced, false},
      {empty, true, false, kInvalid, false},
      {complete_abort, false, true, kNone, false},
      {complete_abort, false, false, kNone, true},
      {complete_abort, true, true, kInvalid, false},
      {complete_abort, true, false, kInvalid, false},
      {complete_commit, false, true, kInvalid, false},
      {complete_commit, false, false, kNone, true},
      {complete_commit, true, true, kNone, false},
      {complete_commit, true, false, kInvalid, false},
  };
  for (const Row& row : rows) {
    CAPTURE(name(row.state));
    CAPTURE(row.committed);
    CAPTURE(row.is_retry);
    CoordinatorOfOne one;
    bring_to(row.state, one);
    const ProducerIdAndEpoch current = one.producer();
    const EndTxnResponse answer = one.end(row.committed, row.is_retry ? before(current) : current);
    CHECK(answer.error == row.want);
    const int bumped = one.producer().epoch.value() - current.epoch.value();
    CHECK(bumped == (row.bumps ? 1 : 0));
    if (row.want == kNone) CHECK(answer.producer_epoch == one.producer().epoch);
  }
}

TEST_CASE("EndTxn before transaction.version 2: the epoch must be the current one") {
  CoordinatorOfOne one;
  one.init();
  one.init();
  CHECK(one.end(true, one.producer(), 0).error == ErrorCode::invalid_txn_state);
  CHECK(one.add({kFirst}, one.producer(), 0) == ErrorCode::none);
  CHECK(one.end(true, before(one.producer()), 0).error == ErrorCode::producer_fenced);
  CHECK(one.end(true, {ProducerId{1}, one.producer().epoch}, 0).error ==
        ErrorCode::invalid_producer_id_mapping);
  const ProducerIdAndEpoch current = one.producer();
  CHECK(one.end(true, current, 0).error == ErrorCode::none);
  // The decision is logged and its markers are under way.
  CHECK(one.end(true, current, 0).error == ErrorCode::concurrent_transactions);
  CHECK(one.end(false, current, 0).error == ErrorCode::concurrent_transactions);
  CHECK(one.add({kFirst}, current, 0) == ErrorCode::concurrent_transactions);
  one.markers_written();
  CHECK(one.end(true, current, 0).error == ErrorCode::none);
  CHECK(one.end(false, current, 0).error == ErrorCode::invalid_txn_state);
  CHECK(one.producer().epoch == current.epoch);
}

TEST_CASE("while a transition is being written nobody else begins one") {
  CoordinatorOfOne one;
  one.init();
  const ProducerIdAndEpoch producer = one.producer();
  one.holds_writes = true;
  one.run([&](TransactionShard& shard, const TransactionShard::Step& step) {
    shard.add_partitions({"t", producer, {kFirst}}, kTransactionVersion2, {}, step);
  });
  CHECK(one.added.empty());
  CHECK(one.state() == TransactionState::empty);  // nothing takes effect before it is logged
  CHECK(one.init().error == ErrorCode::concurrent_transactions);
  CHECK(one.add({kSecond}, producer) == ErrorCode::concurrent_transactions);
  CHECK(one.end(true, producer).error == ErrorCode::concurrent_transactions);
}

TEST_CASE("a write that fails leaves everything as it was") {
  CoordinatorOfOne one;
  one.init();
  one.outcome = ErrorCode::not_enough_replicas;
  CHECK(one.add({kFirst}, one.producer()) == ErrorCode::coordinator_not_available);
  CHECK(one.state() == TransactionState::empty);
  one.outcome = ErrorCode::none;
  CHECK(one.add({kFirst}, one.producer()) == ErrorCode::none);
  one.outcome = ErrorCode::not_leader_or_follower;
  CHECK(one.end(true, one.producer()).error == ErrorCode::not_coordinator);
  CHECK(one.state() == TransactionState::ongoing);
  CHECK(one.markers.empty());
}

TEST_CASE("partitions that are in the transaction already cost no write") {
  CoordinatorOfOne one;
  one.init();
  CHECK(one.add({kFirst, kSecond}, one.producer()) == ErrorCode::none);
  const std::size_t written = one.log.size();
  CHECK(one.add({kSecond}, one.producer()) == ErrorCode::none);
  CHECK(one.log.size() == written);
  CHECK(one.add({kFirst}, before(one.producer())) == ErrorCode::producer_fenced);
  CHECK(one.add({kFirst}, {ProducerId{1}, ProducerEpoch{0}}) == ErrorCode::invalid_producer_id_mapping);
}

TEST_CASE("the marker bears the bumped epoch and this leadership; completion waits for all of them") {
  CoordinatorOfOne one;
  one.init();
  CHECK(one.add({kSecond, kFirst}, one.producer()) == ErrorCode::none);
  const EndTxnResponse answer = one.end(false, one.producer());
  CHECK(answer.producer_epoch == ProducerEpoch{1});
  REQUIRE(one.markers.size() == 1);
  CHECK(one.markers[0].producer_epoch == ProducerEpoch{1});
  CHECK(one.markers[0].coordinator_epoch == CoordinatorEpoch{4});
  CHECK_FALSE(one.markers[0].committed);
  CHECK(one.markers[0].partitions == std::vector{kFirst, kSecond});
  one.run([&](TransactionShard& shard, const TransactionShard::Step& step) {
    shard.marker_done("t", kFirst);
    shard.maybe_complete("t", step);
  });
  CHECK(one.state() == TransactionState::prepare_abort);
  one.markers_written();
  CHECK(one.state() == TransactionState::complete_abort);
}

TEST_CASE("KIP-360: a producer that goes on after an error has its own epoch bumped, once") {
  CoordinatorOfOne one;
  one.init();
  const ProducerIdAndEpoch first = one.producer();
  const InitProducerIdResponse bumped = one.init(first);
  CHECK(bumped.producer_epoch == ProducerEpoch{1});
  CHECK(one.init(first).producer_epoch == ProducerEpoch{1});  // a retry: the answer was lost
  one.init();                                                 // another instance
  CHECK(one.init(first).error == ErrorCode::producer_fenced);
  CHECK(one.init({ProducerId{1}, ProducerEpoch{0}}).error == ErrorCode::producer_fenced);
}

TEST_CASE("the last epoch is followed by another producer id, at an end of a transaction as well") {
  CoordinatorOfOne one;
  one.init();
  for (int i = 0; i < kLastEpoch.value(); ++i) one.init();
  const ProducerIdAndEpoch last = one.producer();
  CHECK(last.epoch == kLastEpoch);
  CHECK(one.add({kFirst}, last) == ErrorCode::none);
  const EndTxnResponse answer = one.end(true, last);
  CHECK(answer.error == ErrorCode::none);
  CHECK(answer.producer_id != last.id);
  CHECK(answer.producer_epoch == ProducerEpoch{0});
  CHECK(one.markers[0].producer_id == last.id);  // what was written is ended in its own name
  CHECK(one.markers[0].producer_epoch == ProducerEpoch{32'767});
  one.markers_written();
  CHECK(one.producer().id == answer.producer_id);
  CHECK(one.end(true, last).producer_id == answer.producer_id);  // a retry over the overflow
}

TEST_CASE("a fence that could not be written does not bump the epoch a second time") {
  BrokerConfig config;
  config.history.transaction_epoch_bump = false;
  CoordinatorOfOne one(config);
  one.init();
  CHECK(one.add({kFirst}, one.producer(), 0) == ErrorCode::none);
  one.outcome = ErrorCode::not_enough_replicas;
  CHECK(one.init().error == ErrorCode::coordinator_not_available);
  CHECK(one.init().error == ErrorCode::coordinator_not_available);
  CHECK(one.producer().epoch == ProducerEpoch{1});
  one.outcome = ErrorCode::none;
  CHECK(one.init().error == ErrorCode::concurrent_transactions);
  CHECK(one.producer().epoch == ProducerEpoch{1});
  one.markers_written();
  CHECK(one.init().producer_epoch == ProducerEpoch{2});
}

TEST_CASE("what has been open for longer than its timeout is aborted, and its producer fenced") {
  CoordinatorOfOne one;
  one.init();
  CHECK(one.add({kFirst}, one.producer()) == ErrorCode::none);
  const ProducerIdAndEpoch producer = one.producer();
  const auto scan = [&] {
    one.run([&](TransactionShard& shard, const TransactionShard::Step& step) {
      shard.abort_timed_out(one.ids(), step);
    });
  };
  one.now += 60s;
  scan();
  CHECK(one.state() == TransactionState::ongoing);  // not longer, yet
  one.now += 1ms;
  scan();
  CHECK(one.state() == TransactionState::prepare_abort);
  // By its epoch the commit might be a retry; it is the outcome that gives it away.
  CHECK(one.end(true, producer).error == ErrorCode::concurrent_transactions);
  one.markers_written();
  CHECK(one.end(true, producer).error == ErrorCode::invalid_txn_state);
  CHECK(one.add({kFirst}, producer) == ErrorCode::producer_fenced);
}

TEST_CASE("an id that is not used any more is forgotten, a tombstone saying so") {
  CoordinatorOfOne one;
  bring_to(TransactionState::complete_commit, one);
  const auto scan = [&] {
    one.run([&](TransactionShard& shard, const TransactionShard::Step& step) { shard.remove_expired(step); });
  };
  one.now += from_millis(604'800'000) - 1ms;
  scan();
  CHECK_FALSE(one.runtime.find_shard(0)->empty());
  one.now += 1ms;
  scan();
  CHECK(one.runtime.find_shard(0)->empty());
  CHECK(one.log.back().tombstone);
}

TEST_CASE("a new coordinator finds what its log says, and completes what was decided") {
  CoordinatorOfOne one;
  one.init();
  CHECK(one.add({kFirst}, one.producer()) == ErrorCode::none);
  CHECK(one.end(true, one.producer()).error == ErrorCode::none);

  CoordinatorOfOne next;
  next.act([&](node::Env env, node::Effects& out) { next.runtime.resigned(kLog, env, out); });
  next.runtime.elected(kLog, LeaderEpoch{5});
  std::vector<Batch> batches;
  for (const TransactionLogRecord& record : one.log) {
    const auto offset = static_cast<Offset>(batches.size());
    batches.push_back(Batch{offset, LeaderEpoch{4}, 1, make_batch(std::vector{record}, 0)});
  }
  next.runtime.replay(kLog, batches, static_cast<Offset>(batches.size()));
  next.act([&](node::Env env, node::Effects& out) { next.runtime.loaded(kLog, env, out); });
  CHECK(next.state() == TransactionState::prepare_commit);
  REQUIRE(next.markers.size() == 1);
  CHECK(next.markers[0].coordinator_epoch == CoordinatorEpoch{5});
  CHECK(next.markers[0].committed);
  next.markers_written();
  CHECK(next.state() == TransactionState::complete_commit);
}

}  // namespace
}  // namespace sim::transaction
