#include "coordinator/runtime.h"

#include <doctest/doctest.h>

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/rng.h"
#include "coordinator/errors.h"
#include "protocol/batch_builder.h"
#include "protocol/messages.h"

// What the runtime does for any coordinator, shown with one that counts: each record adds an amount to a
// counter.
namespace sim::coordinator {
namespace {

using namespace std::chrono_literals;

constexpr TopicId kTopic{9};
constexpr TopicPartition kTp{kTopic, 1};

struct Added {
  std::string counter;
  std::int64_t amount = 0;
};

class CounterShard {
 public:
  struct Config {};
  using Record = CoordinatorRecord;
  struct Changes {
    std::vector<Added> added;
    void clear() { added.clear(); }
  };
  struct Deferred {
    CorrelationId asked = 0;
  };
  struct Timer {
    int ring = 0;
  };
  using Step = coordinator::Step<CounterShard>;

  CounterShard(const Config&, std::int32_t) {}

  void replay(const Record& record, Changes* uncommitted) {
    const auto& one = std::get<OffsetCommitRecord>(record);
    written[one.group] += one.offset;
    if (uncommitted != nullptr)
      uncommitted->added.push_back({one.group, one.offset});
    else
      committed_values[one.group] += one.offset;
  }
  void loaded(const Step&) { ++loads; }
  void unloaded(const Step& step) { answer(kUnloaded, ErrorCode::not_coordinator, step); }
  void commit(const Changes& changes) {
    for (const Added& one : changes.added) committed_values[one.counter] += one.amount;
  }
  void committed(const Changes& changes, const Step&) {
    commit(changes);
    ++commits_told;
  }
  void revert(const Changes& failed, const std::vector<const Changes*>& standing, bool is_newest, ErrorCode,
              const Step&) {
    for (const Added& one : failed.added) written[one.counter] -= one.amount;
    reverted.emplace_back(standing.size(), is_newest);
  }
  void succeeded(Deferred& work, const Step& step) { answer(work.asked, ErrorCode::none, step); }
  void failed(Deferred& work, ErrorCode error, const Step& step) {
    answer(work.asked, told_to_client(error), step);
  }
  void timer_passed(const Timer& timer, const Step& step) {
    rung.push_back(timer.ring);
    step.write(OffsetCommitRecord{"rings", {}, 1});
  }

  void add(const std::string& counter, std::int64_t amount, CorrelationId asked, const Step& step) {
    step.write(OffsetCommitRecord{counter, {}, amount});
    step.defer({asked});
  }

  static void answer(CorrelationId asked, ErrorCode error, const Step& step) {
    step.out.emplace_back(node::Send{Envelope{Channel{}, asked, true, HeartbeatResponse{error}}});
  }

  static constexpr CorrelationId kUnloaded = 999;
  std::map<std::string, std::int64_t> written;
  std::map<std::string, std::int64_t> committed_values;
  std::vector<std::pair<std::size_t, bool>> reverted;
  std::vector<int> rung;
  int loads = 0;
  int commits_told = 0;
  DeadlineHandle alarm;
};

using Counters = Runtime<CounterShard>;

Batch record_batch(Offset base, std::vector<std::int64_t> amounts) {
  std::vector<CoordinatorRecord> records;
  for (const std::int64_t amount : amounts) records.emplace_back(OffsetCommitRecord{"a", {}, amount});
  return Batch{base, LeaderEpoch{0}, static_cast<std::int32_t>(amounts.size()), make_batch(records, 0)};
}

// A runtime, its clock and timer, and a log whose outcomes the test tells.
struct Stage {
  explicit Stage(Duration linger = 5ms, std::int64_t max_batch_bytes = 1'000'000)
      : runtime({node::TimerId{node::Part::group_coordinator, 0}, 3, linger, max_batch_bytes, 5s},
                CounterShard::Config{}) {}

  template <class Call>
  void run(Call call) {
    node::Effects out;
    call(node::Env{now, rng}, out);
    for (node::Effect& effect : out) {
      if (auto* sent = std::get_if<node::Send>(&effect)) {
        CHECK_FALSE(answers.contains(sent->envelope.correlation));
        answers[sent->envelope.correlation] = std::get<HeartbeatResponse>(sent->envelope.message).error;
      } else if (const auto* set = std::get_if<node::SetTimer>(&effect)) {
        timer = set->deadline;
      } else if (std::holds_alternative<node::CancelTimer>(effect)) {
        timer.reset();
      }
    }
    for (Counters::Write& write : runtime.take_writes()) writes.push_back(std::move(write));
  }
  void lead(LeaderEpoch leader_epoch = LeaderEpoch{0}) {
    CHECK(runtime.elected(kTp, leader_epoch));
    run([&](node::Env env, node::Effects& out) { runtime.loaded(kTp, env, out); });
  }
  void resign(TopicPartition tp = kTp) {
    run([&](node::Env env, node::Effects& out) { runtime.resigned(tp, env, out); });
  }
  CorrelationId add(const std::string& counter, std::int64_t amount) {
    const CorrelationId asked = ++asked_;
    run([&](node::Env env, node::Effects& out) {
      runtime.run(kTp.partition, env, out, [&](CounterShard& shard, const CounterShard::Step& step) {
        shard.add(counter, amount, asked, step);
      });
    });
    return asked;
  }
  void arm(int ring, Duration delay) {
    run([&](node::Env env, node::Effects& out) {
      runtime.run(kTp.partition, env, out, [&](CounterShard& shard, const CounterShard::Step& step) {
        step.arm(shard.alarm, {ring}, delay);
      });
    });
  }
  void pass(Duration time) {
    const LocalTime until = now + time;
    while (timer && *timer <= until) {
      now = std::max(now, *timer);
      timer.reset();
      run([&](node::Env env, node::Effects& out) { runtime.timer_fired(env, out); });
    }
    now = until;
  }
  void outcome(std::size_t index, ErrorCode error) {
    const Counters::Write& write = writes.at(index);
    run([&](node::Env env, node::Effects& out) { runtime.written(write.tp, write.id, error, env, out); });
  }
  const CounterShard& shard() const { return *runtime.find_shard(kTp.partition); }
  std::int64_t written(const std::string& counter) const { return value(shard().written, counter); }
  std::int64_t committed(const std::string& counter) const {
    return value(shard().committed_values, counter);
  }
  static std::int64_t value(const std::map<std::string, std::int64_t>& values, const std::string& counter) {
    const auto it = values.find(counter);
    return it == values.end() ? 0 : it->second;
  }
  std::optional<ErrorCode> answer(CorrelationId asked) const {
    const auto it = answers.find(asked);
    return it == answers.end() ? std::nullopt : std::optional(it->second);
  }

  Counters runtime;
  Rng rng{1, "test"};
  LocalTime now{};
  std::optional<LocalTime> timer;
  std::vector<Counters::Write> writes;  // asked for, ever
  std::map<CorrelationId, ErrorCode> answers;

 private:
  CorrelationId asked_ = 0;
};

// ---- Transactions

TEST_CASE("what is written in a transaction is a batch of its own, and so is the transaction's marker") {
  Stage stage;
  stage.lead();
  const CorrelationId plain = stage.add("a", 1);
  CHECK(stage.writes.empty());  // it lingers
  stage.run([&](node::Env env, node::Effects& out) {
    stage.runtime.run_transactional(
        kTp.partition, {ProducerId{7}, ProducerEpoch{2}, 5}, env, out,
        [&](CounterShard& shard, const CounterShard::Step& step) { shard.add("a", 2, 500, step); });
  });
  REQUIRE(stage.writes.size() == 2);
  CHECK_FALSE(stage.writes[0].writer);
  REQUIRE(stage.writes[1].writer);
  CHECK(stage.writes[1].writer->producer_id == ProducerId{7});
  CHECK(stage.writes[1].writer->guard == 5);
  CHECK(stage.writes[1].records.size() == 1);
  stage.add("a", 4);
  Counters::WriteId marker = 0;
  stage.run([&](node::Env, node::Effects& out) {
    marker = stage.runtime.complete_transaction(kTp.partition, {ProducerId{7}, ProducerEpoch{3}, 0},
                                                EndTransactionMarker{true, CoordinatorEpoch{1}}, out);
  });
  REQUIRE(stage.writes.size() == 4);
  CHECK_FALSE(stage.writes[2].writer);
  CHECK(stage.writes[3].id == marker);
  CHECK(stage.writes[3].records.empty());
  CHECK(stage.writes[3].marker->committed);
  stage.outcome(3, ErrorCode::none);  // the high watermark has passed all of them
  CHECK(stage.committed("a") == 7);
  CHECK(stage.answer(plain) == ErrorCode::none);
}

TEST_CASE("of several that wait with time-outs of their own, the first to be up is answered first") {
  Stage stage;
  stage.lead();
  const auto add_for = [&](CorrelationId asked, Duration timeout) {
    stage.run([&](node::Env env, node::Effects& out) {
      stage.runtime.run(kTp.partition, env, out, [&](CounterShard&, const CounterShard::Step& step) {
        step.write(OffsetCommitRecord{"a", {}, 1});
        step.defer({asked}, timeout);
      });
    });
  };
  add_for(100, 3s);
  add_for(101, 1s);
  add_for(102, 2s);
  stage.pass(1500ms);
  CHECK(stage.answer(101) == ErrorCode::coordinator_not_available);
  CHECK_FALSE(stage.answer(102));
  stage.pass(1s);
  CHECK(stage.answer(102) == ErrorCode::coordinator_not_available);
  CHECK_FALSE(stage.answer(100));
  stage.pass(1s);
  CHECK(stage.answer(100) == ErrorCode::coordinator_not_available);
}

// ---- Elections and loading

TEST_CASE("who does not lead, or has not loaded yet, says so") {
  Stage stage;
  CHECK(stage.runtime.check(1) == ErrorCode::not_coordinator);
  CHECK(stage.runtime.elected(kTp, LeaderEpoch{3}));
  CHECK(stage.runtime.check(1) == ErrorCode::coordinator_load_in_progress);
  CHECK(stage.runtime.check(0) == ErrorCode::not_coordinator);
  stage.run([&](node::Env env, node::Effects& out) { stage.runtime.loaded(kTp, env, out); });
  CHECK(stage.runtime.check(1) == ErrorCode::none);
  CHECK(stage.shard().loads == 1);
  CHECK_FALSE(stage.runtime.elected(kTp, LeaderEpoch{4}));  // again: it has all of it
  CHECK(stage.runtime.check(1) == ErrorCode::none);
  stage.resign();
  CHECK(stage.runtime.check(1) == ErrorCode::not_coordinator);
}

TEST_CASE(
    "a log is replayed from its start to its end, in pieces; above the high watermark it is not committed") {
  log::PartitionLog log;
  for (int i = 0; i < 4; ++i) {
    Batch batch = log.assign(record_batch(0, {1, 10}).data, LeaderEpoch{0});
    log.append(std::move(batch));
  }
  Stage stage;
  REQUIRE(stage.runtime.elected(kTp, LeaderEpoch{0}));
  stage.run([&](node::Env env, node::Effects& out) { stage.runtime.load(kTp, log, 4, 1, env, out); });
  CHECK(stage.written("a") == 44);
  CHECK(stage.committed("a") == 22);
  CHECK(stage.shard().commits_told == 0);

  // What is asked now rests on all that was found.
  CorrelationId asked = 77;
  stage.run([&](node::Env env, node::Effects& out) {
    stage.runtime.run(1, env, out,
                      [&](CounterShard&, const CounterShard::Step& step) { step.defer({asked}); });
  });
  const auto advance = [&](Offset high_watermark) {
    stage.run([&](node::Env env, node::Effects& out) {
      stage.runtime.high_watermark_advanced(kTp, high_watermark, env, out);
    });
  };
  advance(6);
  CHECK(stage.committed("a") == 33);
  CHECK_FALSE(stage.answer(asked));
  advance(8);
  CHECK(stage.committed("a") == 44);
  CHECK(stage.answer(asked) == ErrorCode::none);
}

TEST_CASE("the high watermark may move while the log is loaded") {
  Stage stage;
  REQUIRE(stage.runtime.elected(kTp, LeaderEpoch{0}));
  stage.runtime.replay(kTp, {record_batch(0, {1}), record_batch(1, {2})}, 1);
  CHECK(stage.shard().committed_values.at("a") == 1);
  stage.runtime.replay(kTp, {record_batch(2, {4})}, 3);
  CHECK(stage.shard().committed_values.at("a") == 7);
}

// ---- Writing

TEST_CASE(
    "records gather in one batch until the linger is over; the next go into another while it is in flight") {
  Stage stage;
  stage.lead();
  const CorrelationId first = stage.add("a", 1);
  stage.pass(2ms);
  const CorrelationId second = stage.add("b", 2);
  CHECK(stage.writes.empty());
  CHECK(stage.written("b") == 2);  // replayed at once ...
  CHECK(stage.committed("b") == 0);
  stage.pass(3ms);
  REQUIRE(stage.writes.size() == 1);
  CHECK(stage.writes[0].tp == kTp);
  CHECK(stage.writes[0].records.size() == 2);

  const CorrelationId third = stage.add("a", 4);
  stage.pass(5ms);
  REQUIRE(stage.writes.size() == 2);
  CHECK(stage.writes[1].records.size() == 1);
  CHECK_FALSE(stage.answer(first));  // ... and answered when it is committed
  stage.outcome(0, ErrorCode::none);
  CHECK(stage.answer(first) == ErrorCode::none);
  CHECK(stage.answer(second) == ErrorCode::none);
  CHECK_FALSE(stage.answer(third));
  CHECK(stage.committed("a") == 1);
  stage.outcome(1, ErrorCode::none);
  CHECK(stage.answer(third) == ErrorCode::none);
  CHECK(stage.committed("a") == 5);
  CHECK(stage.shard().commits_told == 2);
}

TEST_CASE("the high watermark passes a batch only with all batches before it") {
  Stage stage;
  stage.lead();
  const CorrelationId first = stage.add("a", 1);
  stage.pass(5ms);
  const CorrelationId second = stage.add("a", 2);
  stage.pass(5ms);
  stage.outcome(1, ErrorCode::none);
  CHECK(stage.answer(first) == ErrorCode::none);
  CHECK(stage.answer(second) == ErrorCode::none);
  CHECK(stage.committed("a") == 3);
  stage.outcome(0, ErrorCode::none);  // known already
  CHECK(stage.committed("a") == 3);
}

TEST_CASE("a full batch is written before its linger is over") {
  const std::int64_t record_bytes = record_size(CoordinatorRecord{OffsetCommitRecord{"a", {}, 1}}, 0);
  Stage stage(5ms, kBatchHeaderBytes + 2 * record_bytes + 2);
  stage.lead();
  for (int i = 0; i < 3; ++i) stage.add("a", 1);
  REQUIRE(stage.writes.size() == 1);
  CHECK(stage.writes[0].records.size() == 2);
  stage.pass(5ms);
  REQUIRE(stage.writes.size() == 2);
  CHECK(stage.writes[1].records.size() == 1);
}

TEST_CASE("without a linger each operation is a batch") {
  Stage stage(0ms);
  stage.lead();
  stage.add("a", 1);
  CHECK(stage.writes.size() == 1);
  stage.add("a", 1);
  CHECK(stage.writes.size() == 2);
  stage.arm(1, 1s);
  stage.pass(1s);  // an operation, too
  CHECK(stage.writes.size() == 3);
}

TEST_CASE(
    "an answer that wrote nothing waits for what was written before it; with nothing written it leaves at "
    "once") {
  Stage stage;
  stage.lead();
  const auto read = [&](CorrelationId asked) {
    stage.run([&](node::Env env, node::Effects& out) {
      stage.runtime.run(1, env, out,
                        [&](CounterShard&, const CounterShard::Step& step) { step.defer({asked}); });
    });
  };
  read(50);
  CHECK(stage.answer(50) == ErrorCode::none);
  stage.add("a", 1);
  read(51);
  CHECK_FALSE(stage.answer(51));
  stage.pass(5ms);
  stage.outcome(0, ErrorCode::none);
  CHECK(stage.answer(51) == ErrorCode::none);
}

// ---- Failures

TEST_CASE("a batch that could not be appended is undone, and those that stand are not") {
  Stage stage;
  stage.lead();
  const CorrelationId first = stage.add("a", 1);
  stage.pass(5ms);
  const CorrelationId second = stage.add("a", 10);
  stage.pass(5ms);
  const CorrelationId third = stage.add("a", 100);
  stage.pass(5ms);
  stage.outcome(1, ErrorCode::not_enough_replicas);
  CHECK(stage.answer(second) == ErrorCode::coordinator_not_available);
  CHECK(stage.written("a") == 101);
  CHECK(stage.shard().reverted == std::vector<std::pair<std::size_t, bool>>{{2, false}});
  stage.outcome(2, ErrorCode::none);
  CHECK(stage.answer(first) == ErrorCode::none);
  CHECK(stage.answer(third) == ErrorCode::none);
  CHECK(stage.committed("a") == 101);

  const CorrelationId last = stage.add("a", 1000);
  stage.pass(5ms);
  stage.outcome(3, ErrorCode::not_leader_or_follower);
  CHECK(stage.answer(last) == ErrorCode::not_coordinator);
  CHECK(stage.written("a") == 101);
  CHECK(stage.shard().reverted.back() == std::pair<std::size_t, bool>{0, true});
}

TEST_CASE("in the log, only the high watermark counts") {
  Stage stage;
  stage.lead();
  const CorrelationId asked = stage.add("a", 1);
  stage.pass(5ms);
  stage.outcome(0, ErrorCode::request_timed_out);
  CHECK_FALSE(stage.answer(asked));
  stage.outcome(0, ErrorCode::not_enough_replicas_after_append);
  CHECK(stage.answer(asked) == ErrorCode::none);
  CHECK(stage.committed("a") == 1);
}

TEST_CASE("an answer waits for so long at most; its records are in the log all the same") {
  Stage stage;
  stage.lead();
  const CorrelationId first = stage.add("a", 1);
  stage.pass(2s);
  const CorrelationId second = stage.add("a", 2);
  stage.pass(2'999ms);
  CHECK_FALSE(stage.answer(first));
  stage.pass(1ms);
  CHECK(stage.answer(first) == ErrorCode::coordinator_not_available);
  CHECK_FALSE(stage.answer(second));
  stage.pass(2s);
  CHECK(stage.answer(second) == ErrorCode::coordinator_not_available);
  CHECK(stage.written("a") == 3);
  stage.outcome(1, ErrorCode::none);  // answered once, says Stage
  CHECK(stage.committed("a") == 3);
}

// ---- Fencing

TEST_CASE(
    "who loses its partition answers all that wait, forgets, and knows nothing of its writes any more") {
  Stage stage;
  stage.lead();
  const CorrelationId in_flight = stage.add("a", 1);
  stage.pass(5ms);
  const CorrelationId lingering = stage.add("a", 2);
  stage.arm(1, 1min);
  stage.resign(TopicPartition{TopicId{8}, 1});  // of another topic
  CHECK(stage.runtime.check(1) == ErrorCode::none);
  stage.resign();
  CHECK(stage.answer(CounterShard::kUnloaded) == ErrorCode::not_coordinator);
  CHECK(stage.answer(in_flight) == ErrorCode::not_coordinator);
  CHECK(stage.answer(lingering) == ErrorCode::not_coordinator);
  CHECK_FALSE(stage.timer);
  CHECK(stage.runtime.find_shard(1) == nullptr);

  stage.answers.clear();
  stage.lead(LeaderEpoch{2});
  CHECK(stage.written("a") == 0);
  stage.outcome(0, ErrorCode::none);  // of the first leadership
  CHECK(stage.committed("a") == 0);
  stage.pass(10min);
  CHECK(stage.writes.size() == 1);  // what lingered was never written
  CHECK(stage.shard().rung.empty());
}

TEST_CASE("what was to be written and was not yet taken is dropped with its leadership") {
  Stage stage(0ms);
  stage.lead();
  node::Effects out;
  const node::Env env{stage.now, stage.rng};
  stage.runtime.run(1, env, out,
                    [](CounterShard& shard, const CounterShard::Step& step) { shard.add("a", 1, 1, step); });
  stage.runtime.resigned(kTp, env, out);
  CHECK(stage.runtime.take_writes().empty());
}

// ---- Timers

TEST_CASE("one timer of the process stands for all deadlines, and is moved only to an earlier time") {
  Stage stage;
  stage.lead();
  stage.arm(1, 10s);
  CHECK(stage.timer == LocalTime{10s});
  stage.arm(2, 20s);  // put off
  CHECK(stage.timer == LocalTime{10s});
  stage.arm(3, 5s);
  CHECK(stage.timer == LocalTime{5s});
  stage.pass(1min);
  CHECK(stage.shard().rung == std::vector<int>{3});
  CHECK(stage.written("rings") == 1);
  CHECK(stage.writes.size() == 1);
}

TEST_CASE("a deadline that was cancelled does not pass") {
  Stage stage;
  stage.lead();
  stage.arm(1, 10s);
  stage.run([&](node::Env env, node::Effects& out) {
    stage.runtime.run(1, env, out, [](CounterShard& shard, const CounterShard::Step& step) {
      CHECK(step.is_armed(shard.alarm));
      step.cancel(shard.alarm);
      CHECK_FALSE(step.is_armed(shard.alarm));
    });
  });
  CHECK_FALSE(stage.timer);
  stage.pass(1min);
  CHECK(stage.shard().rung.empty());
}

// ---- A value

TEST_CASE("a copy made in mid-run plays on as the original does") {
  Stage stage;
  stage.lead();
  stage.add("a", 1);
  stage.pass(5ms);
  stage.add("a", 2);
  stage.arm(1, 1s);
  Stage copy = stage;
  for (Stage* one : {&stage, &copy}) {
    one->pass(5s);
    one->outcome(1, ErrorCode::none);
  }
  CHECK(stage.answers == copy.answers);
  CHECK(stage.shard().rung == copy.shard().rung);
  CHECK(stage.committed("a") == 3);
  CHECK(copy.committed("a") == 3);
}

TEST_CASE("what a client hears of a failed write") {
  using enum ErrorCode;
  struct Row {
    ErrorCode of_the_log;
    ErrorCode told;
  };
  const Row rows[] = {
      {unknown_topic_or_partition, coordinator_not_available},
      {not_enough_replicas, coordinator_not_available},
      {request_timed_out, coordinator_not_available},
      {not_leader_or_follower, not_coordinator},
      {kafka_storage_error, not_coordinator},
      {message_too_large, unknown_server_error},
      {record_list_too_large, unknown_server_error},
      {invalid_fetch_size, unknown_server_error},
      {not_coordinator, not_coordinator},
      {fenced_instance_id, fenced_instance_id},
  };
  for (const Row& row : rows) CHECK(told_to_client(row.of_the_log) == row.told);
}

}  // namespace
}  // namespace sim::coordinator
