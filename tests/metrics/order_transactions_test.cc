// Orders that are sent on from service to service, and transactions around them.
#include <doctest/doctest.h>

#include <numeric>

#include "metrics/order_ledger.h"
#include "observe/fold.h"
#include "observe/story.h"
#include "protocol/batch_builder.h"

namespace sim::metrics {
namespace {

using test::Story;

constexpr TopicPartition kPayments0{TopicId{2}, 0};
constexpr ProducerId kPayment{7};
constexpr std::size_t kPaymentService = 0, kFulfillment = 1;

// Service 0 reads orders and sends on what service 1 reads.
LedgerSpec pipe() {
  LedgerSpec spec;
  spec.services = 2;
  spec.services_of_flow = {ServiceSet(3)};
  spec.hops = {{{0}, 1}, {{1}, 0}};
  return spec;
}

struct Pipe {
  OrderLedger ledger{pipe()};
  Story story{[this](const observe::Observation& seen) { observe::tell_fact(ledger, seen); }};

  // Orders 0 and 1 are in the log.
  Pipe() { story.published(10, {0, 1}, 0); }

  BatchDataPtr derived(const std::vector<std::int64_t>& numbers, bool transactional = true) {
    std::vector<Record> records;
    for (const std::int64_t number : numbers)
      records.push_back(Record{at_hop(Story::order(number), 1), 0, -1, 10});
    return make_data_batch(std::move(records), kPayment, ProducerEpoch{0}, 0, 100, transactional);
  }
  // Payment reads and does an order.
  void paid(std::int64_t ms, std::int64_t number) {
    story.polled(ms, 0, number, number + 1);
    story.started(ms, 0, number, number);
    story.done(ms, 0, number, number);
  }
  void sent_on(std::int64_t ms, Offset base, const BatchDataPtr& batch) {
    story.tell(ms, Story::member_of(0), observe::BatchDrained{kPayments0, batch, 0});
    append(ms + 1, base, batch);
    story.tell(ms + 2, test::kBroker1,
               observe::HighWatermarkAdvanced{kPayments0, base, base + batch->record_count()});
    story.tell(ms + 3, Story::member_of(0),
               observe::BatchAcknowledged{kPayments0, batch, ErrorCode::none, base, false});
  }
  void append(std::int64_t ms, Offset base, const BatchDataPtr& batch) {
    story.tell(ms, test::kBroker1,
               observe::BatchAppended{kPayments0, Batch{base, LeaderEpoch{0}, batch->record_count(), batch}});
  }
  void end(std::int64_t ms, Offset at, bool committed) {
    append(ms, at, make_marker_batch({committed, CoordinatorEpoch{0}}, kPayment, ProducerEpoch{1}, 0));
  }
  void fulfilled(std::int64_t ms, Offset offset, std::int64_t number) {
    const observe::ServiceId service{1};
    story.tell(ms, Story::member_of(1), observe::RecordsPolled{service, 0, kPayments0, offset, offset + 1});
    const RecordId record = at_hop(Story::order(number), 1);
    story.tell(ms, Story::member_of(1), observe::ProcessingStarted{service, 0, kPayments0, offset, record});
    story.tell(ms, Story::member_of(1), observe::ProcessingDone{service, 0, kPayments0, offset, record});
  }
};

TEST_CASE("the stages of an order that was sent on are those of both its ways") {
  Pipe f;
  f.paid(5'000, 0);  // it has waited to be fetched since it was published
  const BatchDataPtr batch = f.derived({0}, false);
  f.sent_on(5'100, 0, batch);
  f.fulfilled(5'150, 0, 0);
  const OrderLedger::Index index = f.ledger.find(Story::order(0));
  const auto to_payment = f.ledger.stages(index, kPaymentService);
  const auto whole = f.ledger.stages(index, kFulfillment);
  const auto sum = [](const auto& stages) {
    return std::accumulate(stages.begin(), stages.end(), std::int64_t{0});
  };
  CHECK(sum(whole) == f.ledger.ended(index, kFulfillment) - f.ledger.order(index).intended);
  CHECK(sum(whole) - sum(to_payment) == 150'000'000);
  constexpr auto kFetchWait = static_cast<std::size_t>(Stage::fetch_wait);
  CHECK(to_payment[kFetchWait] > 4'900'000'000);
  CHECK(whole[kFetchWait] > to_payment[kFetchWait]);
  CHECK(whole[static_cast<std::size_t>(Stage::send_wait)] < 200'000'000);
}

TEST_CASE("a record tells its order and its hop") {
  const RecordId order = record_id(FlowId{3}, 17);
  const RecordId derived = at_hop(order, 5);
  CHECK(hop_of(order) == 0);
  CHECK(hop_of(derived) == 5);
  CHECK(order_of(derived) == order);
  CHECK(flow_of(derived) == FlowId{3});
  CHECK(number_of(derived) == 17);
  CHECK(at_hop(derived, 127).value() > 0);
  CHECK(hop_of(at_hop(derived, 127)) == 127);
}

TEST_CASE("an order is fulfilled when the last service of its way has done it") {
  Pipe pipe;
  pipe.paid(100, 0);
  CHECK(pipe.ledger.outcome(0) == Outcome::open);
  pipe.sent_on(110, 0, pipe.derived({0}));
  pipe.end(120, 1, true);
  pipe.fulfilled(130, 0, 0);
  pipe.ledger.finish(Instant{from_millis(200)}, false);
  CHECK(pipe.ledger.outcome(0) == Outcome::fulfilled);
  CHECK(pipe.ledger.ended(0) == 130'000'000);
  CHECK(pipe.ledger.upstream(0, kFulfillment) == kPaymentService);
  CHECK(pipe.ledger.batch_read(0, kFulfillment).tp == kPayments0);
  CHECK(pipe.ledger.outcome(1) == Outcome::open);
  CHECK(pipe.ledger.duplicates().empty());
}

TEST_CASE("what was handled, committed and not sent on is lost to who comes after") {
  Pipe pipe;
  pipe.paid(100, 0);
  CHECK_FALSE(pipe.ledger.lost_for(0, kFulfillment));
  pipe.story.committed(110, 0, 1);
  CHECK(pipe.ledger.lost_for(0, kFulfillment));
  CHECK_FALSE(pipe.ledger.lost_for(0, kPaymentService));
  CHECK(pipe.ledger.lost_for_group(0, kFulfillment));
  CHECK(pipe.ledger.outcome(0) == Outcome::lost);
  CHECK_FALSE(pipe.ledger.lost_for(1, kFulfillment));  // its offset is not committed
  pipe.story.committed(120, 0, 2);                     // committed before it was handled, and never was
  CHECK(pipe.ledger.lost_for(1, kPaymentService));
  CHECK(pipe.ledger.lost_for(1, kFulfillment));
}

TEST_CASE("what was sent on twice is in the log twice, unless one was aborted") {
  for (const bool first_is_committed : {true, false}) {
    CAPTURE(first_is_committed);
    Pipe pipe;
    pipe.paid(100, 0);
    pipe.sent_on(110, 0, pipe.derived({0}));
    pipe.end(120, 1, first_is_committed);
    pipe.paid(130, 0);
    pipe.sent_on(140, 2, pipe.derived({0}));
    pipe.end(150, 3, true);
    pipe.ledger.finish(Instant{from_millis(200)}, false);
    CHECK(pipe.ledger.duplicates().size() == (first_is_committed ? 1u : 0u));
    CHECK(pipe.ledger.service(0, kPaymentService).times == 2);  // the card was charged twice either way
    CHECK(pipe.ledger.offset_read(0, kFulfillment) == 2);
  }
}

TEST_CASE("handling a record of a transaction that is aborted, before or after, is an aborted read") {
  for (const bool reads_before_the_end : {true, false}) {
    for (const bool is_committed : {true, false}) {
      CAPTURE(reads_before_the_end);
      Pipe pipe;
      pipe.paid(100, 0);
      pipe.sent_on(110, 0, pipe.derived({0}));
      if (reads_before_the_end) pipe.fulfilled(115, 0, 0);
      pipe.end(120, 1, is_committed);
      if (!reads_before_the_end) pipe.fulfilled(125, 0, 0);
      pipe.ledger.finish(Instant{from_millis(200)}, false);
      CHECK(pipe.ledger.aborted_reads().size() == (is_committed ? 0u : 1u));
    }
  }
}

TEST_CASE("an order of an aborted transaction has failed, and is not lost") {
  OrderLedger ledger(LedgerSpec{1, {ServiceSet(1)}});
  Story story([&ledger](const observe::Observation& seen) { observe::tell_fact(ledger, seen); });
  story.placed(10, 0);
  story.accepted(10, 0);
  const BatchDataPtr batch =
      make_data_batch({Record{Story::order(0), 0, -1, 10}}, kPayment, ProducerEpoch{0}, 0, 100, true);
  story.drained(11, batch);
  story.appended(12, 0, batch);
  story.acknowledged(13, 0, batch);
  story.appended(14, 1, make_marker_batch({false, CoordinatorEpoch{0}}, kPayment, ProducerEpoch{1}, 0));
  story.high_watermark(15, 0, 2);
  CHECK(ledger.outcome(0) == Outcome::failed);
  CHECK(ledger.order(0).error == ErrorCode::transaction_abortable);
  CHECK_FALSE(ledger.lost_acked(0));
  CHECK_FALSE(ledger.lost_for(0, 0));
  CHECK(ledger.totals().ended == 1);
  CHECK(ledger.readable_end(test::kOrders0) == 0);  // nobody has to commit past it
}

}  // namespace
}  // namespace sim::metrics
