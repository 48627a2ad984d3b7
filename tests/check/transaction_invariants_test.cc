// Each invariant of transactions is shown a run that breaks it, and it alone must speak up.
#include "check/transaction_invariants.h"

#include <doctest/doctest.h>

#include <functional>

#include "check/all_invariants.h"
#include "observe/story.h"
#include "protocol/batch_builder.h"

namespace sim::check {
namespace {

using test::Story;
using State = observe::ProducerTransactionState;

constexpr ProducerId kProducer{7};
constexpr TopicPartition kOrders1{TopicId{1}, 1};
constexpr TopicPartition kOffsets{TopicId{5}, 0};

BatchDataPtr sent(std::int32_t epoch, std::int32_t sequence) {
  return make_data_batch({Record{Story::order(sequence), 0, -1, 10}}, kProducer,
                         ProducerEpoch{static_cast<std::int16_t>(epoch)}, sequence, 100, true);
}

struct Play {
  AllInvariants invariants{InvariantsSpec{{}, {true}, {}, {}, {true, false}}};
  Story story{invariants};

  Play() {
    for (const TopicPartition tp : {test::kOrders0, kOrders1, kOffsets}) {
      story.tell(0, test::kBroker1, observe::BecameLeader{tp, NodeId{1}, LeaderEpoch{0}, 0});
    }
    for (std::int64_t number = 0; number < 4; ++number) {
      story.placed(0, number);
      story.accepted(0, number);
    }
  }
  void state(std::int64_t ms, State state, std::int32_t epoch = 0) {
    story.tell(
        ms, test::kShop,
        observe::ProducerTransactionChanged{
            "shop", state, kProducer, ProducerEpoch{static_cast<std::int16_t>(epoch)}, ErrorCode::none});
  }
  void write(std::int64_t ms, TopicPartition tp, Offset at, const BatchDataPtr& batch) {
    if (!batch->application_records().empty())
      story.tell(ms, test::kShop, observe::BatchDrained{tp, batch, 0});
    append(ms, tp, at, batch);
  }
  void append(std::int64_t ms, TopicPartition tp, Offset at, const BatchDataPtr& batch) {
    story.tell(ms, test::kBroker1,
               observe::BatchAppended{tp, Batch{at, LeaderEpoch{0}, batch->record_count(), batch}});
    story.tell(ms, test::kBroker1, observe::HighWatermarkAdvanced{tp, at, at + batch->record_count()});
  }
  void end(std::int64_t ms, TopicPartition tp, Offset at, bool committed, std::int32_t epoch = 1) {
    append(ms, tp, at,
           make_marker_batch({committed, CoordinatorEpoch{0}}, kProducer,
                             ProducerEpoch{static_cast<std::int16_t>(epoch)}, 0));
  }
  void polled(std::int64_t ms, std::int32_t service, Offset from, Offset to) {
    story.polled(ms, service, from, to);
  }
  // Two records in two partitions, in one transaction.
  void transaction() {
    state(10, State::in_transaction);
    write(11, test::kOrders0, 0, sent(0, 0));
    write(12, kOrders1, 0, sent(0, 1));
  }
};

TEST_CASE("a transaction that is committed everywhere, and one that is aborted everywhere, break nothing") {
  for (const bool committed : {true, false}) {
    Play play;
    play.transaction();
    play.story.tell(13, test::kShop,
                    observe::OffsetsAddedToTransaction{observe::ServiceId{0}, 0, kProducer, ProducerEpoch{0},
                                                       test::kOrders0, 1});
    play.append(14, kOffsets, 0,
                make_transactional_batch({OffsetCommitRecord{}}, kProducer, ProducerEpoch{0}, 0));
    play.state(15, committed ? State::committing : State::aborting);
    play.end(16, test::kOrders0, 1, committed);
    play.state(17, State::ready, 1);
    play.end(18, kOrders1, 1, committed);
    play.end(19, kOffsets, 1, committed);
    if (committed) play.polled(20, 0, 0, 1);
    play.state(21, State::in_transaction, 1);
    play.write(22, test::kOrders0, 2, sent(1, 0));
    for (const Violation& one : play.invariants.violations()) MESSAGE(one.what);
    CHECK(play.invariants.violations().empty());
  }
}

TEST_CASE("each invariant of transactions catches what breaks it") {
  struct Row {
    const char* invariant;
    const char* what;
    std::function<void(Play&)> planted;
  };
  const Row rows[] = {
      {"transaction-all-or-nothing", "one partition commits, another aborts",
       [](Play& p) {
         p.end(20, test::kOrders0, 1, true);
         p.end(21, kOrders1, 1, false);
       }},
      {"transaction-all-or-nothing", "the client was told that it is committed, and it is aborted",
       [](Play& p) {
         p.state(20, State::committing);
         p.state(21, State::ready);
         p.end(22, test::kOrders0, 1, false);
       }},
      {"transaction-all-or-nothing", "the client was told that it is aborted, and it is committed",
       [](Play& p) {
         p.end(20, test::kOrders0, 1, true);
         p.state(21, State::aborting);
         p.state(22, State::ready);
       }},
      {"transaction-all-or-nothing", "the records are committed, the offsets are not",
       [](Play& p) {
         p.story.tell(20, test::kShop,
                      observe::OffsetsAddedToTransaction{observe::ServiceId{0}, 0, kProducer,
                                                         ProducerEpoch{0}, test::kOrders0, 1});
         p.append(21, kOffsets, 0,
                  make_transactional_batch({OffsetCommitRecord{}}, kProducer, ProducerEpoch{0}, 0));
         p.end(22, kOffsets, 1, false);
         p.end(23, test::kOrders0, 1, true);
       }},
      {"read-committed-only", "an open transaction is read", [](Play& p) { p.polled(20, 0, 0, 1); }},
      {"read-committed-only", "an aborted transaction is read",
       [](Play& p) {
         p.end(20, test::kOrders0, 1, false);
         p.polled(21, 0, 0, 1);
       }},
      {"fenced-never-writes", "a batch follows a marker of a newer epoch",
       [](Play& p) {
         p.end(20, test::kOrders0, 1, false);
         p.append(21, test::kOrders0, 2, sent(0, 2));
       }},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    Play play;
    play.transaction();
    row.planted(play);
    bool found = false;
    for (const Violation& one : play.invariants.violations()) found = found || one.invariant == row.invariant;
    CHECK(found);
    CHECK(play.invariants.violations().size() <= 2);  // stages of what was made up here apart
  }
}

TEST_CASE("a read_uncommitted service may read what it likes") {
  Play play;
  play.transaction();
  play.polled(20, 1, 0, 1);
  CHECK(play.invariants.violations().empty());
}

}  // namespace
}  // namespace sim::check
