#include "workload/order_service.h"

#include <algorithm>
#include <deque>
#include <optional>
#include <utility>

#include "client/producer.h"
#include "workload/arrivals.h"
#include "workload/order_key.h"

namespace sim::workload {

namespace {

using client::Producer;

constexpr node::TimerId kArrivalTimer{node::Part::application, 0};

struct Order {
  RecordId record;
  std::int64_t intended_ns = 0;
  std::int64_t key = -1;
  std::int32_t value_bytes = 0;
};

// Orders one after the other: when, for whom, how large.
class OrderSource {
 public:
  explicit OrderSource(const OrderServiceBoot& boot)
      : flow_(boot.flow),
        spec_(boot.spec),
        arrivals_(boot.spec.arrivals, boot.rng.child("arrivals")),
        keys_(boot.rng.child("keys")),
        sizes_(boot.rng.child("sizes")),
        load_ends_ns_(nanos(boot.load_ends_at)) {}

  std::optional<Order> next() {
    if (spec_.max_orders >= 0 && number_ >= spec_.max_orders) return std::nullopt;
    const auto arrival = arrivals_.next();
    if (!arrival || *arrival >= load_ends_ns_ - nanos(spec_.start_at)) return std::nullopt;
    Order order{record_id(flow_, number_), nanos(spec_.start_at) + *arrival};
    if (const auto* trace = std::get_if<TraceArrivals>(&spec_.arrivals)) {
      const TraceOrder& recorded = (*trace->orders)[static_cast<std::size_t>(number_)];
      order.key = recorded.key;
      order.value_bytes = recorded.value_bytes;
    } else {
      if (spec_.keyed) order.key = spec_.key.sample(keys_);
      const std::int64_t bytes = spec_.record_bytes.sample(sizes_);
      order.value_bytes = static_cast<std::int32_t>(std::clamp<std::int64_t>(bytes, 0, kMostValueBytes));
    }
    ++number_;
    return order;
  }

 private:
  FlowId flow_;
  FlowSpec spec_;
  ArrivalProcess arrivals_;
  Rng keys_;
  Rng sizes_;
  std::int64_t load_ends_ns_;
  std::int64_t number_ = 0;
};

std::shared_ptr<const std::vector<std::string>> keys_of(const FlowSpec& spec) {
  const auto* trace = std::get_if<TraceArrivals>(&spec.arrivals);
  return trace == nullptr ? nullptr : trace->keys;
}

class OrderService final : public node::Node {
 public:
  explicit OrderService(const OrderServiceBoot& boot)
      : flow_(boot.flow),
        is_transactional_(!boot.spec.producer.transactional_id.empty()),
        orders_per_transaction_(static_cast<std::size_t>(boot.spec.orders_per_transaction)),
        aborts_millionths_(boot.spec.aborts_millionths),
        source_(boot),
        aborts_(boot.rng.child("aborts")),
        recorded_keys_(keys_of(boot.spec)),
        producer_(boot.self, boot.bootstrap, boot.spec.producer),
        topic_(producer_.add_topic(boot.spec.topic)) {}

  std::unique_ptr<node::Node> clone() const override { return std::make_unique<OrderService>(*this); }

  void step(node::Input& input, node::Env env, node::Effects& out) override {
    if (std::holds_alternative<node::Started>(input)) {
      start(env, out);
    } else if (const auto* fired = std::get_if<node::TimerFired>(&input);
               fired != nullptr && fired->timer == kArrivalTimer) {
      place_due_orders(env, out);
    } else if (std::holds_alternative<node::StopRequested>(input)) {
      next_.reset();
      stopping_ = true;
      out.emplace_back(node::CancelTimer{kArrivalTimer});
    } else {
      producer_.step(input, env, out, events_);
    }
    do {
      if (take_events(env, out)) send_waiting(env, out);
      if (is_transactional_) end_last_transaction(env, out);
      if (stopping_ && waiting_.empty() && is_free()) producer_.close();
      producer_.poll(env, out, events_);
    } while (!events_.empty());
    if (stopping_ && producer_.closed()) out.emplace_back(node::Exit{});
  }

 private:
  // Of a transactional producer: what its one application thread waits for.
  enum class Ending : std::uint8_t { none, init, commit, abort, never };

  // A service that starts again finds the clicks of the meantime lost: nobody answered them.
  void start(node::Env env, node::Effects& out) {
    next_ = source_.next();
    while (next_ && next_->intended_ns < nanos(env.now)) next_ = source_.next();
    if (is_transactional_) {
      ending_ = Ending::init;
      producer_.init_transactions(env, events_);
    }
    arm(out);
  }

  void place_due_orders(node::Env env, node::Effects& out) {
    while (next_ && next_->intended_ns <= nanos(env.now)) {
      place(*next_, env, out);
      next_ = source_.next();
    }
    arm(out);
  }

  void arm(node::Effects& out) {
    if (next_) out.emplace_back(node::SetTimer{kArrivalTimer, local_at(next_->intended_ns)});
  }

  // Nothing keeps the application from its next send.
  bool is_free() const {
    return !producer_.blocked() && (ending_ == Ending::none || ending_ == Ending::never);
  }

  void place(const Order& order, node::Env env, node::Effects& out) {
    const std::int32_t key_bytes =
        order.key < 0 ? -1
                      : static_cast<std::int32_t>(OrderKey(order.key, recorded_keys_.get()).view().size());
    node::report(out, observe::OrderPlaced{order.record, flow_, order.intended_ns, order.key, key_bytes,
                                           order.value_bytes});
    if (is_free()) {
      send(order, env, out);
    } else {
      waiting_.push_back(order);
    }
  }

  void send(const Order& order, node::Env env, node::Effects& out) {
    if (is_transactional_ && in_transaction_.empty() && ending_ != Ending::never)
      producer_.begin_transaction(out);  // refused: the send will be, too
    client::ProducerRecord record{order.record, std::nullopt, order.value_bytes, order.key};
    const OrderKey key(order.key, recorded_keys_.get());
    if (order.key >= 0) record.key = key.view();
    const Producer::SendResult sent = producer_.send(topic_, record, env, out);
    if (!is_transactional_) return;
    in_transaction_.push_back(order.record);
    if (sent == Producer::SendResult::accepted || sent == Producer::SendResult::failed) after_send(env, out);
  }

  void send_waiting(node::Env env, node::Effects& out) {
    while (!waiting_.empty() && is_free()) {
      const Order order = waiting_.front();
      waiting_.pop_front();
      send(order, env, out);
    }
  }

  // True: a call returned, and the application goes on. What became of batches the producer has told in
  // facts.
  bool take_events(node::Env env, node::Effects& out) {
    bool returned = false;
    for (Producer::Event& event : std::exchange(events_, {})) {
      if (std::holds_alternative<Producer::SendReturned>(event)) {
        returned = true;
        if (is_transactional_) after_send(env, out);
      } else if (const auto* ended = std::get_if<Producer::TransactionReturned>(&event)) {
        returned = true;
        on_transaction(*ended, env, out);
      }
    }
    return returned;
  }

  // ---- Transactions

  void after_send(node::Env env, node::Effects& out) {
    using State = client::ProducerTransactionState;
    if (producer_.transaction_state() == State::fatal_error) {
      in_transaction_.clear();
      ending_ = Ending::never;  // every further order fails
    } else if (producer_.transaction_state() == State::abortable_error) {
      end_transaction(Ending::abort, env, out);
    } else if (in_transaction_.size() >= orders_per_transaction_) {
      const bool aborts = aborts_millionths_ > 0 &&
                          aborts_.bernoulli(static_cast<std::uint64_t>(aborts_millionths_), 1'000'000);
      end_transaction(aborts ? Ending::abort : Ending::commit, env, out);
    }
  }

  // With the last order the last transaction ends, however few it holds.
  void end_last_transaction(node::Env env, node::Effects& out) {
    if (next_ || !waiting_.empty() || in_transaction_.empty() || !is_free()) return;
    end_transaction(Ending::commit, env, out);
  }

  void end_transaction(Ending ending, node::Env env, node::Effects& out) {
    ending_ = ending;
    if (ending == Ending::commit) {
      producer_.commit_transaction(env, out, events_);
    } else {
      producer_.abort_transaction(env, out, events_);
    }
  }

  void on_transaction(const Producer::TransactionReturned& returned, node::Env env, node::Effects& out) {
    using State = client::ProducerTransactionState;
    const State state = producer_.transaction_state();
    const Ending ended = std::exchange(ending_, Ending::none);
    if (returned.error == ErrorCode::none) {
      // The customers are told: nothing was ordered.
      if (ended == Ending::abort) fail_transaction(ErrorCode::transaction_abortable, out);
      in_transaction_.clear();
    } else if (state == State::fatal_error) {
      fail_transaction(returned.error, out);
      ending_ = Ending::never;
    } else if (state == State::abortable_error && ended != Ending::init) {
      end_transaction(Ending::abort, env, out);
    } else if (ended == Ending::init) {
      ending_ = Ending::init;  // max.block.ms has passed: once more
      producer_.init_transactions(env, events_);
    } else {
      end_transaction(ended, env, out);  // the same, as is allowed after a TimeoutException
    }
  }

  void fail_transaction(ErrorCode error, node::Effects& out) {
    for (const RecordId record : in_transaction_) node::report(out, observe::RecordFailed{record, error});
    in_transaction_.clear();
  }

  FlowId flow_;
  bool is_transactional_;
  std::size_t orders_per_transaction_;
  std::int32_t aborts_millionths_;
  OrderSource source_;
  Rng aborts_;
  std::shared_ptr<const std::vector<std::string>> recorded_keys_;  // of a trace; null without one
  Producer producer_;
  Producer::TopicNumber topic_;
  std::optional<Order> next_;
  std::deque<Order> waiting_;  // placed while the application thread was blocked, in order
  std::vector<RecordId> in_transaction_;
  Ending ending_ = Ending::none;
  Producer::Events events_;  // of the step
  bool stopping_ = false;
};

}  // namespace

std::unique_ptr<node::Node> boot_order_service(const OrderServiceBoot& boot) {
  return std::make_unique<OrderService>(boot);
}

}  // namespace sim::workload
